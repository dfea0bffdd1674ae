// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Descriptors from elsewhere, that are to become streams and listeners.

#include <anyio/backends/backend.hpp>
#include <anyio/base/unique_fd.hpp>

#include <cstdint>

namespace anyio::posix_socket {

/// What a descriptor has to be.
struct stream_requirement {
    const char* operation;  // "socket_stream::from_fd"
    bool is_unix_domain;    // else IPv4 or IPv6
    bool listens;           // else is connected
};

/// Checks it, makes it non-blocking, and hands it to the backend of this loop.
///
/// @throws usage_error, os_error, no_event_loop_error  and then `fd` is as it was
[[nodiscard]] backends::descriptor&
adopt(unique_fd& fd, const stream_requirement& required);

/// What a descriptor has to be that becomes a datagram socket.
struct datagram_requirement {
    const char* operation;  // "udp_socket::from_fd"
    bool is_unix_domain;    // else IPv4 or IPv6
    bool is_connected;      // else must not be; but be bound, if it is of IP
};

/// The same for datagram sockets.
///
/// @throws usage_error, os_error, no_event_loop_error  and then `fd` is as it was
[[nodiscard]] backends::descriptor&
adopt(unique_fd& fd, const datagram_requirement& required);

/// Whether it is an IPv6 socket.
[[nodiscard]] bool is_v6(int fd) noexcept;

}  // namespace anyio::posix_socket
