// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// listener_core: the sockets of a listener.

#include <anyio/base/time.hpp>
#include <anyio/networking/detail/accept_operation.hpp>
#include <anyio/networking/detail/connection_call.hpp>
#include "posix_socket.hpp"
#include "posix_unix_socket.hpp"

#include <memory>
#include <string>
#include <vector>

namespace anyio::detail {

/// One listening socket, and the request that accepts from it.
struct listening_socket : backends::request {
    listener_core* listener = nullptr;
    ip_endpoint local;  // none: a UNIX socket
    std::string where;  // that, or the path, for messages
    backends::descriptor_kind accepts{};
    posix_socket::native_address peer;
    bool pending = false;  // the backend has the request
    int ready = -1;        // accepted when nobody waited any more
};

/// Lives until the last request has ended, which a backend may put off until after the
/// listener was closed.
///
/// Invariant: `waiter_` is null, or in accept() with a request pending on each socket, or
/// held back by its limit, which then knows this.
class listener_core {
public:
    explicit listener_core(const listener_kind& kind) noexcept : kind_(&kind) {}

    ~listener_core();

    listener_core(const listener_core&) = delete;  // requests hold its address
    listener_core& operator=(const listener_core&) = delete;

    /// Takes over a listening descriptor.
    ///
    /// @throws os_error, std::bad_alloc  and then `fd` is closed
    void add(unique_fd fd);
    /// The same of one that is registered already.
    ///
    /// @throws std::bad_alloc  and then `target` is closed
    void add(backends::descriptor& target);

    /// Removes it when the listener is closed.
    void remove_later(posix_socket::bound_file file) noexcept {
        file_ = std::move(file);
    }

    /// Ends what waits, closes the sockets, and goes when it can.
    void close() noexcept;

    /// Begins to accept; true if `waiter` has a connection or an error already.
    ///
    /// @throws busy_resource_error, usage_error
    [[nodiscard]] bool begin(accept_core& waiter);
    /// The waiter was held back, and is no more.
    void go_on() noexcept;
    /// The waiter does not wait any more.
    void stop() noexcept;

    [[nodiscard]] const std::vector<std::unique_ptr<listening_socket>>&
    sockets() const noexcept {
        return sockets_;
    }

    /// `tcp_listener 127.0.0.1:80`, and how many more there are.
    [[nodiscard]] std::string describe() const;

    /// When the last shortage was reported.
    time_point quiet_until{};

private:
    enum class stage : std::uint8_t { open, closing, closed };

    void check_may_begin() const;
    [[nodiscard]] accept_core* forget_waiter() noexcept;
    [[nodiscard]] bool begin_on_all() noexcept;
    [[nodiscard]] bool begin_on(listening_socket& socket) noexcept;
    [[nodiscard]] bool submit(listening_socket& socket) noexcept;
    [[nodiscard]] bool settle(listening_socket& socket) noexcept;
    void deliver_error(int error, const listening_socket& socket) noexcept;
    static void on_completed(backends::request& r) noexcept;
    void go_if_done() noexcept;

    const listener_kind* kind_;
    std::vector<std::unique_ptr<listening_socket>> sockets_;
    posix_socket::bound_file file_;
    accept_core* waiter_ = nullptr;
    // Failed connections in a row, without a wait; a few are nothing, but no step of a task
    // may last for ever.
    static constexpr int most_passed_over = 64;
    int passed_over_ = 0;
    std::size_t first_ = 0;  // which socket is asked first, for fairness
    stage stage_ = stage::open;
};

struct close_core {
    void operator()(listener_core* core) const noexcept { core->close(); }
};

/// A listener in the making.
using unique_core = std::unique_ptr<listener_core, close_core>;

}  // namespace anyio::detail
