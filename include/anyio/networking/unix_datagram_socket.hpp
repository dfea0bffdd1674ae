// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// unix_datagram_socket, connected_unix_datagram_socket, and how they are made.
/// Manual: docs/manual/networking.md#datagrams

#include <anyio/base/unique_fd.hpp>
#include <anyio/basics/task.hpp>
#include <anyio/networking/datagram_socket.hpp>
#include <anyio/networking/socket_attribute.hpp>
#include <anyio/networking/unix_address.hpp>

#include <optional>

namespace anyio {

/// A datagram of a UNIX socket and its sender, or its receiver. A sender without a name
/// cannot be answered.
///
/// @anyio  anyio.abc.UNIXDatagramPacketType
using unix_datagram_packet = datagram<unix_address>;

/// A UNIX socket for datagrams that talks to anybody on this machine: what
/// create_unix_datagram_socket() yields. In contrast to UDP nothing is lost, nor comes in
/// another order: while the receiver is slow, the sender waits.
///
/// @threads      loop
/// @concurrency  one receive and one send at a time, else busy_resource_error
/// @anyio        anyio.abc.UNIXDatagramSocket
class unix_datagram_socket : public datagram_socket<unix_address> {
public:
    /// Makes a socket of a descriptor that came from elsewhere. It becomes non-blocking,
    /// for all who share it; its options stay.
    ///
    /// @param fd  taken over, unless this throws
    /// @throws usage_error  if it is no socket, not for datagrams, no UNIX socket, or
    ///                      connected
    /// @throws os_error     if there is no such descriptor
    /// @throws no_event_loop_error
    /// @anyio  anyio.abc.UNIXDatagramSocket.from_socket
    [[nodiscard]] static unix_datagram_socket from_fd(unique_fd&& fd);

    /// Where this socket is; unnamed if it was given no path.
    ///
    /// @throws closed_resource_error  if it was closed
    /// @throws os_error               if the system does not tell
    [[nodiscard]] unix_address local_address() const;

    using extra_attributes = attribute_list<
        socket_attribute::family,
        socket_attribute::local_path,
        socket_attribute::raw_socket>;

    [[nodiscard]] socket_family attribute(socket_attribute::family) const noexcept {
        return socket_family::unix_domain;
    }

    /// @throws closed_resource_error  if it was closed
    [[nodiscard]] unix_address attribute(socket_attribute::local_path) const {
        return local_address();
    }

    [[nodiscard]] int attribute(socket_attribute::raw_socket) const noexcept {
        return native_handle();
    }

    /// For those who make sockets: takes over one that is registered.
    explicit unix_datagram_socket(backends::descriptor& target) noexcept
        : datagram_socket(target, kind_, false) {}

private:
    static const detail::datagram_kind kind_;
};

/// A UNIX socket for datagrams that talks to one peer: what
/// create_connected_unix_datagram_socket() yields.
///
/// @threads      loop
/// @concurrency  one receive and one send at a time, else busy_resource_error
/// @anyio        anyio.abc.ConnectedUNIXDatagramSocket
class connected_unix_datagram_socket : public connected_datagram_socket {
public:
    /// Makes a socket of a descriptor that came from elsewhere, socketpair(2) for instance.
    /// It becomes non-blocking, for all who share it; its options stay.
    ///
    /// @param fd  taken over, unless this throws
    /// @throws usage_error  if it is no socket, not for datagrams, no UNIX socket, or not
    ///                      connected
    /// @throws os_error     if there is no such descriptor
    /// @throws no_event_loop_error
    /// @anyio  anyio.abc.ConnectedUNIXDatagramSocket.from_socket
    [[nodiscard]] static connected_unix_datagram_socket from_fd(unique_fd&& fd);

    /// Where this socket is; unnamed if it was given no path.
    ///
    /// @throws closed_resource_error  if it was closed
    /// @throws os_error               if the system does not tell
    [[nodiscard]] unix_address local_address() const;

    /// Where the peer is; unnamed if it has no name.
    [[nodiscard]] const unix_address& remote_address() const noexcept {
        return remote_;
    }

    using extra_attributes = attribute_list<
        socket_attribute::family,
        socket_attribute::local_path,
        socket_attribute::remote_path,
        socket_attribute::raw_socket>;

    [[nodiscard]] socket_family attribute(socket_attribute::family) const noexcept {
        return socket_family::unix_domain;
    }

    /// @throws closed_resource_error  if it was closed
    [[nodiscard]] unix_address attribute(socket_attribute::local_path) const {
        return local_address();
    }

    [[nodiscard]] unix_address attribute(socket_attribute::remote_path) const noexcept {
        return remote_;
    }

    [[nodiscard]] int attribute(socket_attribute::raw_socket) const noexcept {
        return native_handle();
    }

    /// For those who make sockets: takes over one that is connected and registered.
    connected_unix_datagram_socket(
        backends::descriptor& target, const unix_address& remote
    ) noexcept
        : connected_datagram_socket(target, kind_, false), remote_(remote) {}

private:
    static const detail::datagram_kind kind_;

    unix_address remote_;
};

/// Where to be. Trivially destructible: see docs/manual/compilers.md.
struct create_unix_datagram_socket_options {
    /// A path, or an abstract name; without one nobody can send to this socket, nor answer
    /// it. A file that a socket of this user has left there is replaced, and the new one
    /// stays when this socket is closed: an abstract name leaves nothing behind.
    unix_address local_path = {};
    /// The permissions of the file, at no moment more: 0600, for instance. Who may write
    /// may send. Unless given, 0777 less the umask.
    std::optional<unsigned> local_mode = {};
};

/// Opens a UNIX socket for datagrams.
///
/// @throws os_error     if the path is taken, or cannot be made
/// @throws usage_error  if there is a mode without a path, or it has bits of no meaning
/// @checkpoint    always
/// @cancellation  atomic: nothing stays open
/// @threads       loop
/// @allocates     a frame, and what the socket needs of the backend
/// @anyio         anyio.create_unix_datagram_socket
[[nodiscard]] task<unix_datagram_socket>
create_unix_datagram_socket(create_unix_datagram_socket_options options = {});

/// Opens a UNIX socket for datagrams to and from one peer.
///
/// @throws connection_failed  if nobody is there, or it is not allowed; caused by the
///                            os_error
/// @throws os_error           if the local path is taken, or cannot be made
/// @throws usage_error        if `to` is unnamed, or as create_unix_datagram_socket()
/// @checkpoint    always
/// @cancellation  atomic: nothing stays open
/// @threads       loop
/// @allocates     a frame, and what the socket needs of the backend
/// @anyio         anyio.create_connected_unix_datagram_socket
[[nodiscard]] task<connected_unix_datagram_socket>
create_connected_unix_datagram_socket(
    unix_address to, create_unix_datagram_socket_options options = {}
);

}  // namespace anyio
