// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// accept_operation: waits for a connection.

#include <anyio/backends/request.hpp>
#include <anyio/lowlevel/operation.hpp>
#include <anyio/networking/socket_address.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <string>
#include <utility>

namespace anyio::detail {

class connection_limit;
class listener_core;

/// What tells one kind of listener from another.
struct listener_kind {
    const char* name;    // "tcp_listener"
    const char* accept;  // "accept tcp"
    bool is_ip;          // its clients have addresses
    lowlevel::wait_kind wait;
};

/// The base of accept operations, whatever they yield.
class accept_core : public lowlevel::operation<accept_core> {
public:
    [[nodiscard]] bool try_complete();

    void start() const noexcept {}

    [[nodiscard]] static constexpr listener_kind make_kind(
        const char* name, const char* accept, bool is_ip, const char* operation
    ) noexcept {
        return {name, accept, is_ip, {&abort, operation, &describe}};
    }

protected:
    accept_core(
        const listener_kind& what, listener_core* listener, connection_limit* limit
    ) noexcept
        : operation(what.wait), kind_(&what), listener_(listener), limit_(limit) {}

    ~accept_core();

    /// The accepted socket, registered.
    ///
    /// @throws what went wrong
    [[nodiscard]] backends::descriptor& take();

    [[nodiscard]] const ip_endpoint& remote() const noexcept { return remote_; }

private:
    friend listener_core;

    static lowlevel::abort_result abort(lowlevel::wait_record& record) noexcept;
    static void describe(const lowlevel::wait_record& record, std::string& out);

    const listener_kind* kind_;
    listener_core* listener_;  // null: closed
    connection_limit* limit_;  // null: none
    int fd_ = -1;              // accepted, and not yet handed on
    backends::descriptor_kind fd_kind_{};
    ip_endpoint remote_;  // of IP sockets
    std::exception_ptr error_;
};

template <class Stream>
class [[nodiscard]] accept_operation final : public accept_core {
public:
    accept_operation(
        const listener_kind& what,
        listener_core* listener,
        connection_limit* limit = nullptr
    ) noexcept
        : accept_core(what, listener, limit) {}

    /// @throws what went wrong
    [[nodiscard]] Stream await_resume() {
        backends::descriptor& target = take();
        if constexpr (std::constructible_from<
                          Stream,
                          backends::descriptor&,
                          const ip_endpoint&>)
            return Stream(target, remote());
        else
            return Stream(target);
    }
};

}  // namespace anyio::detail
