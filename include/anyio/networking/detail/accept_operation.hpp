// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// accept_operation: waits for a connection; connection_limit: for how many.

#include <anyio/backends/request.hpp>
#include <anyio/base/light_std.hpp>
#include <anyio/lowlevel/operation.hpp>
#include <anyio/networking/socket_address.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <string>
#include <utility>

namespace anyio::detail {

class listener_core;

/// What tells one kind of listener from another.
struct listener_kind {
    const char* name;    // "tcp_listener"
    const char* accept;  // "accept tcp"
    bool is_ip;          // its clients have addresses
    lowlevel::wait_kind wait;
};

/// How many connections are served at a time, and how many may be. At the limit, whoever
/// accepts for it waits until one ends.
class connection_limit {
public:
    explicit connection_limit(std::size_t most) noexcept : most_(most) {}

    connection_limit(const connection_limit&) = delete;  // slots hold its address
    connection_limit& operator=(const connection_limit&) = delete;

    void enter() noexcept { ++now_; }

    void leave() noexcept;

    [[nodiscard]] bool is_reached() const noexcept { return now_ >= most_; }

    [[nodiscard]] std::size_t most() const noexcept { return most_; }

private:
    friend listener_core;

    std::size_t now_ = 0;
    std::size_t most_;
    listener_core* held_back_ = nullptr;  // accepts when one leaves
};

/// The part of one connection in a limit, if there is one.
class connection_slot {
public:
    explicit connection_slot(std::shared_ptr<connection_limit> limit) noexcept
        : limit_(std::move(limit)) {
        if (limit_)
            limit_->enter();
    }

    connection_slot(connection_slot&& other) noexcept = default;
    connection_slot& operator=(connection_slot&& other) = delete;

    ~connection_slot() {
        if (limit_)
            limit_->leave();
    }

private:
    std::shared_ptr<connection_limit> limit_;
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
    ip_endpoint remote_;       // of IP sockets
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

/// A connection, and the handler that is to have it: a child of serve(). When that has
/// ended, the stream is closed, if the handler has not done so, and then the slot is free.
template <class Handler, class Stream>
class connection_call {
public:
    connection_call(
        Handler handler, Stream stream, std::shared_ptr<connection_limit> limit
    )
        : slot_(std::move(limit)), stream_(std::move(stream)),
          handler_(std::forward<Handler>(handler)) {}

    auto operator()() { return handler_(std::move(stream_)); }

private:
    connection_slot slot_;
    Stream stream_;
    Handler handler_;  // a reference, if the handler outlives its connections
};

}  // namespace anyio::detail
