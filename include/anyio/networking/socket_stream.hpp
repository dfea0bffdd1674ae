// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// socket_stream: one connected TCP socket. Manual: docs/manual/networking.md#streams

#include <anyio/base/unique_fd.hpp>
#include <anyio/networking/socket_address.hpp>
#include <anyio/networking/socket_attribute.hpp>
#include <anyio/networking/socket_stream_base.hpp>

#include <cstdint>

namespace anyio {

/// A TCP connection: what connect_tcp() and tcp_listener::accept() yield.
///
/// Small packets are sent at once (TCP_NODELAY). Closing it with something received that
/// was never read resets the connection (RFC 2525, 2.17).
///
/// @threads      loop
/// @concurrency  one receive and one send at a time, else busy_resource_error
/// @anyio        anyio.abc.SocketStream
class socket_stream : public socket_stream_base {
public:
    /// Operations that wait go on, on the new object. The old one is closed.
    socket_stream(socket_stream&& other) noexcept = default;
    /// Closes what this was.
    socket_stream& operator=(socket_stream&& other) noexcept = default;
    ~socket_stream() = default;

    /// Makes a stream of a descriptor that came from elsewhere: from a parent process, or
    /// another library. It becomes non-blocking, for all who share it; its options stay.
    ///
    /// @param fd  taken over, unless this throws
    /// @throws usage_error  if it is no socket, none for streams, none of IP, listening, or
    ///                      not connected
    /// @throws os_error     if there is no such descriptor
    /// @throws no_event_loop_error
    /// @anyio   anyio.abc.SocketStream.from_socket
    [[nodiscard]] static socket_stream from_fd(unique_fd&& fd);

    /// Where the peer is; known also when the connection has ended.
    [[nodiscard]] const ip_endpoint& remote_address() const noexcept { return remote_; }

    /// Where this side is.
    ///
    /// @throws closed_resource_error  if the stream was closed
    /// @throws os_error               if the system does not tell
    [[nodiscard]] ip_endpoint local_address() const;

    using extra_attributes = attribute_list<
        socket_attribute::family,
        socket_attribute::local_address,
        socket_attribute::local_port,
        socket_attribute::remote_address,
        socket_attribute::remote_port,
        socket_attribute::raw_socket>;

    /// For extra(), which finds them through whatever is wrapped around the stream.
    ///
    /// @throws closed_resource_error  for the local ones, if the stream was closed
    [[nodiscard]] socket_family attribute(socket_attribute::family) const noexcept {
        return remote_.is_v6() ? socket_family::ipv6 : socket_family::ipv4;
    }

    [[nodiscard]] ip_endpoint attribute(socket_attribute::local_address) const {
        return local_address();
    }

    [[nodiscard]] std::uint16_t attribute(socket_attribute::local_port) const {
        return local_address().port();
    }

    [[nodiscard]] ip_endpoint attribute(socket_attribute::remote_address) const {
        return remote_;
    }

    [[nodiscard]] std::uint16_t attribute(socket_attribute::remote_port) const {
        return remote_.port();
    }

    [[nodiscard]] int attribute(socket_attribute::raw_socket) const noexcept {
        return native_handle();
    }

    /// For those who make sockets: takes over one that is connected and registered.
    socket_stream(backends::descriptor& target, const ip_endpoint& remote) noexcept
        : socket_stream_base(target, kind_), remote_(remote) {}

private:
    static const detail::stream_kind kind_;
    static std::string
    describe(const detail::stream_core& stream, std::string_view arrow);

    ip_endpoint remote_;
};

}  // namespace anyio
