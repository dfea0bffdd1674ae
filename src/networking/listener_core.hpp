// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// listener_core: the sockets of a tcp_listener.

#include <anyio/networking/tcp_listener.hpp>
#include "posix_socket.hpp"

#include <memory>
#include <string>
#include <vector>

namespace anyio::detail {

/// One listening socket, and the request that accepts from it.
struct listening_socket : backends::request {
    listener_core* listener = nullptr;
    ip_endpoint local;
    posix_socket::native_address peer;
    bool pending = false;  // the backend has the request
    int ready = -1;        // accepted when nobody waited any more
};

/// Lives until the last request has ended, which a backend may put off until after the
/// listener was closed.
///
/// Invariant: `waiter_` is null or in accept(), with a request pending on each socket.
class listener_core {
public:
    listener_core() = default;
    ~listener_core();

    listener_core(const listener_core&) = delete;  // requests hold its address
    listener_core& operator=(const listener_core&) = delete;

    /// Takes over a listening descriptor.
    ///
    /// @throws os_error, std::bad_alloc  and then `fd` is closed
    void add(unique_fd fd);

    /// Ends what waits, closes the sockets, and goes when it can.
    void close() noexcept;

    /// Begins to accept; true if `waiter` has a connection or an error already.
    ///
    /// @throws busy_resource_error, usage_error
    [[nodiscard]] bool begin(accept_operation& waiter);
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
    [[nodiscard]] bool begin_on(listening_socket& socket);
    [[nodiscard]] bool submit(listening_socket& socket) noexcept;
    [[nodiscard]] bool settle(listening_socket& socket) noexcept;
    void deliver_error(int error, const listening_socket& socket) noexcept;
    static void on_completed(backends::request& r) noexcept;
    void go_if_done() noexcept;

    std::vector<std::unique_ptr<listening_socket>> sockets_;
    accept_operation* waiter_ = nullptr;
    std::size_t first_ = 0;  // which socket is asked first, for fairness
    stage stage_ = stage::open;
};

}  // namespace anyio::detail
