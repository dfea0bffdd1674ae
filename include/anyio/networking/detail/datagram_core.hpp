// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// datagram_core: what operations need to know of a datagram socket, whatever its kind.

#include <anyio/backends/request.hpp>
#include <anyio/lowlevel/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace anyio::detail {

class datagram_close_operation;
class datagram_operation;

/// What tells one kind of socket from another. One constant for each kind.
struct datagram_kind {
    const char* name;  // "udp_socket"
    lowlevel::wait_kind receive;
    lowlevel::wait_kind send;
    bool is_connected;
    bool is_unix_domain;
};

/// The base of all datagram sockets.
class datagram_core {
public:
    datagram_core(datagram_core&& other) noexcept;
    datagram_core& operator=(datagram_core&& other) noexcept;

    /// Ends what waits on it with closed_resource_error, then closes the socket.
    void close_now() noexcept;

    /// `udp_socket 127.0.0.1:53`, `connected_udp_socket 127.0.0.1:4711 ← 127.0.0.1:53`
    [[nodiscard]] std::string describe(std::string_view arrow) const;

    [[nodiscard]] const datagram_kind& kind() const noexcept { return *kind_; }

    /// -1: closed, or moved from.
    [[nodiscard]] int fd() const noexcept { return target_ ? target_->fd : -1; }

    /// The descriptor, for `operation`, which may be "local_address of".
    ///
    /// @throws closed_resource_error
    [[nodiscard]] int require_fd(std::string_view operation) const;

    /// An IPv6 socket: it knows peers of IPv4 by IPv6 addresses only.
    [[nodiscard]] bool is_v6() const noexcept { return is_v6_; }

protected:
    datagram_core(
        backends::descriptor& target, const datagram_kind& kind, bool is_v6
    ) noexcept
        : target_(&target), kind_(&kind), is_v6_(is_v6) {}

    ~datagram_core() {
        if (target_)
            close_now();
    }

private:
    friend datagram_close_operation;
    friend datagram_operation;

    /// What waits, at most one in each direction, or null.
    [[nodiscard]] datagram_operation* receiver() const noexcept;
    [[nodiscard]] datagram_operation* sender() const noexcept;
    void repoint_operations() noexcept;

    backends::descriptor* target_;  // null: closed, or moved from
    const datagram_kind* kind_;
    /// Waits for room in the queue of another socket, with a request that `target_` does
    /// not have.
    datagram_operation* elsewhere_ = nullptr;
    bool is_v6_;
};

/// Closes, then waits until the system has let go of the socket: until what was pending
/// on it has ended.
class [[nodiscard]] datagram_close_operation final : public lowlevel::awaitable_base,
                                                     public lowlevel::wait_record {
public:
    explicit datagram_close_operation(datagram_core& core) noexcept
        : wait_record(kind_), core_(&core) {}

    ~datagram_close_operation();

    [[nodiscard]] bool await_ready() noexcept;
    void await_suspend(lowlevel::awaiting_frame handle) noexcept;

    void await_resume() const noexcept {}

private:
    friend datagram_operation;

    static const lowlevel::wait_kind kind_;
    static lowlevel::abort_result abort(lowlevel::wait_record& record) noexcept;
    void ended(const datagram_operation& operation) noexcept;

    datagram_core* core_;
    datagram_operation* receiver_ = nullptr;  // still pending
    datagram_operation* sender_ = nullptr;
};

}  // namespace anyio::detail
