// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// udp_socket, connected_udp_socket, and how they are made.
/// Manual: docs/manual/networking.md#datagrams

#include <anyio/base/unique_fd.hpp>
#include <anyio/basics/task.hpp>
#include <anyio/networking/datagram_socket.hpp>
#include <anyio/networking/getaddrinfo.hpp>
#include <anyio/networking/socket_attribute.hpp>

#include <cstdint>
#include <string_view>

namespace anyio {

/// A datagram of UDP and its sender, or its receiver.
///
/// @anyio  anyio.abc.UDPPacketType
using udp_packet = datagram<ip_endpoint>;

/// A UDP socket that talks to anybody: what create_udp_socket() yields.
///
/// Errors that the network reports (ICMP) do not come out of it, as nobody could tell to
/// whom they belong; those of a connected_udp_socket do.
///
/// @threads      loop
/// @concurrency  one receive and one send at a time, else busy_resource_error
/// @anyio        anyio.abc.UDPSocket
class udp_socket : public datagram_socket<ip_endpoint> {
public:
    /// Makes a socket of a descriptor that came from elsewhere. It becomes non-blocking,
    /// for all who share it; its options stay.
    ///
    /// @param fd  taken over, unless this throws
    /// @throws usage_error  if it is no socket, not for datagrams, not of IP, connected, or
    ///                      has no port
    /// @throws os_error     if there is no such descriptor
    /// @throws no_event_loop_error
    /// @anyio  anyio.abc.UDPSocket.from_socket
    [[nodiscard]] static udp_socket from_fd(unique_fd&& fd);

    /// Where this socket is.
    ///
    /// @throws closed_resource_error  if it was closed
    /// @throws os_error               if the system does not tell
    [[nodiscard]] ip_endpoint local_address() const;

    using extra_attributes = attribute_list<
        socket_attribute::family,
        socket_attribute::local_address,
        socket_attribute::local_port,
        socket_attribute::raw_socket>;

    [[nodiscard]] socket_family attribute(socket_attribute::family) const noexcept {
        return is_v6() ? socket_family::ipv6 : socket_family::ipv4;
    }

    /// @throws closed_resource_error  if it was closed
    [[nodiscard]] ip_endpoint attribute(socket_attribute::local_address) const {
        return local_address();
    }

    [[nodiscard]] std::uint16_t attribute(socket_attribute::local_port) const {
        return local_address().port();
    }

    [[nodiscard]] int attribute(socket_attribute::raw_socket) const noexcept {
        return native_handle();
    }

    /// For those who make sockets: takes over one that is bound and registered.
    udp_socket(backends::descriptor& target, bool is_v6) noexcept
        : datagram_socket(target, kind_, is_v6) {}

private:
    static const detail::datagram_kind kind_;
};

/// A UDP socket that talks to one peer: what create_connected_udp_socket() yields. The
/// system drops what others send.
///
/// @threads      loop
/// @concurrency  one receive and one send at a time, else busy_resource_error
/// @anyio        anyio.abc.ConnectedUDPSocket
class connected_udp_socket : public connected_datagram_socket {
public:
    /// Makes a socket of a descriptor that came from elsewhere. It becomes non-blocking,
    /// for all who share it; its options stay.
    ///
    /// @param fd  taken over, unless this throws
    /// @throws usage_error  if it is no socket, not for datagrams, not of IP, or not
    ///                      connected
    /// @throws os_error     if there is no such descriptor
    /// @throws no_event_loop_error
    /// @anyio  anyio.abc.ConnectedUDPSocket.from_socket
    [[nodiscard]] static connected_udp_socket from_fd(unique_fd&& fd);

    /// Where this socket is.
    ///
    /// @throws closed_resource_error  if it was closed
    /// @throws os_error               if the system does not tell
    [[nodiscard]] ip_endpoint local_address() const;

    /// Where the peer is, or should be.
    [[nodiscard]] const ip_endpoint& remote_address() const noexcept { return remote_; }

    using extra_attributes = attribute_list<
        socket_attribute::family,
        socket_attribute::local_address,
        socket_attribute::local_port,
        socket_attribute::remote_address,
        socket_attribute::remote_port,
        socket_attribute::raw_socket>;

    [[nodiscard]] socket_family attribute(socket_attribute::family) const noexcept {
        return is_v6() ? socket_family::ipv6 : socket_family::ipv4;
    }

    /// @throws closed_resource_error  if it was closed
    [[nodiscard]] ip_endpoint attribute(socket_attribute::local_address) const {
        return local_address();
    }

    [[nodiscard]] std::uint16_t attribute(socket_attribute::local_port) const {
        return local_address().port();
    }

    [[nodiscard]] ip_endpoint
    attribute(socket_attribute::remote_address) const noexcept {
        return remote_;
    }

    [[nodiscard]] std::uint16_t
    attribute(socket_attribute::remote_port) const noexcept {
        return remote_.port();
    }

    [[nodiscard]] int attribute(socket_attribute::raw_socket) const noexcept {
        return native_handle();
    }

    /// For those who make sockets: takes over one that is connected and registered.
    connected_udp_socket(
        backends::descriptor& target, const ip_endpoint& remote, bool is_v6
    ) noexcept
        : connected_datagram_socket(target, kind_, is_v6), remote_(remote) {}

private:
    static const detail::datagram_kind kind_;

    ip_endpoint remote_;
};

/// Where to be. Trivially destructible: see docs/manual/compilers.md.
struct create_udp_socket_options {
    /// Which kind of addresses; needed if there is no `local_host`.
    address_family family = address_family::any;
    /// A name or an address of this machine; its first address is taken. Empty: all
    /// addresses of the family.
    std::string_view local_host = {};
    /// 0: the system chooses.
    std::uint16_t local_port = 0;
    /// SO_REUSEPORT: other sockets may have the port as well, and the system shares the
    /// datagrams out.
    bool reuse_port = false;
};

/// Opens a UDP socket.
///
/// @throws os_error     if the name is not known, the address is not of this machine, the
///                      port is taken or privileged
/// @throws usage_error  if neither `family` nor `local_host` is given, or `local_host`
///                      cannot be a host name
/// @checkpoint    always
/// @cancellation  atomic: nothing stays open
/// @threads       loop
/// @allocates     some frames, and what the socket needs of the backend
/// @anyio         anyio.create_udp_socket
[[nodiscard]] task<udp_socket> create_udp_socket(create_udp_socket_options options);

/// Opens a UDP socket for one peer. Nothing is sent by that.
///
/// Of the addresses of `remote_host` the first one that the system has a way to is the
/// peer. Nobody needs to be there: it shows when something is sent.
///
/// @param remote_host  a name in ASCII, or an address
/// @param remote_port  not 0
/// @throws connection_failed  if there is no way to any address; caused by the os_error, or
///                            by an exception_group of them, one for each address
/// @throws os_error     if a name is not known, or the local address cannot be had
/// @throws usage_error  if `remote_port` is 0, or a host cannot be a host name
/// @checkpoint    always
/// @cancellation  atomic: nothing stays open
/// @threads       loop
/// @allocates     some frames, and what the socket needs of the backend
/// @anyio         anyio.create_connected_udp_socket
[[nodiscard]] task<connected_udp_socket> create_connected_udp_socket(
    std::string_view remote_host,
    std::uint16_t remote_port,
    create_udp_socket_options options = {}
);

}  // namespace anyio
