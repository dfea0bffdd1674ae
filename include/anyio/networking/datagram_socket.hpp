// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// datagram_socket, connected_datagram_socket: what UDP and UNIX sockets for datagrams
/// have in common. Manual: docs/manual/networking.md#datagrams

#include <anyio/base/bytes.hpp>
#include <anyio/networking/detail/datagram_operation.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

namespace anyio {

/// A datagram and whose it is. A value.
///
/// @tparam Address  ip_endpoint or unix_address
/// @anyio  anyio.abc.UDPPacketType, anyio.abc.UNIXDatagramPacketType
template <class Address>
class datagram {
public:
    using address_type = Address;

    datagram() = default;

    // A constructor, no aggregate: see docs/manual/compilers.md.
    datagram(bytes content, const Address& from_or_to) noexcept
        : data(std::move(content)), address(from_or_to) {}

    friend bool operator==(const datagram&, const datagram&) noexcept = default;

    bytes data;
    Address address;  ///< the sender's; of one that is sent, the receiver's
};

/// What receive_into() tells of a datagram.
template <class Address>
struct received_datagram {
    std::size_t size = 0;    ///< bytes in the buffer
    bool truncated = false;  ///< there were more, which are lost
    Address sender;
};

/// The same of a connected socket.
struct received_from_peer {
    std::size_t size = 0;
    bool truncated = false;
};

/// The base of udp_socket and unix_datagram_socket: datagrams from and to anybody. They may
/// be lost, doubled, or come in another order; each comes whole or not at all.
///
/// An unreliable_object_stream of `datagram<Address>`. One task may receive while another
/// sends; two in one direction is a mistake, and says whose.
///
/// A resource: it moves, it does not copy. The destructor closes the socket; a task that
/// still waits gets closed_resource_error. It must be destroyed in the thread of its loop,
/// or after that has ended.
///
/// @threads      loop
/// @concurrency  one receive and one send at a time, else busy_resource_error
template <class Address>
class datagram_socket : protected detail::datagram_core {
public:
    using item_type = datagram<Address>;
    using may_lose_items = void;  // for the stream concepts

    /// Receives one datagram, waiting until there is one. It may be empty.
    ///
    /// @param max_bytes  at least 1; the memory for so many, but not for more than the largest
    ///                   datagram, is there while it waits
    /// @throws closed_resource_error  if this socket was closed, before or meanwhile
    /// @throws busy_resource_error    if another task is already receiving
    /// @throws os_error               EMSGSIZE if the datagram had more bytes; it is lost
    /// @throws usage_error            if `max_bytes` is 0
    /// @checkpoint    always
    /// @cancellation  atomic: no datagram is lost
    /// @allocates     the datagram
    /// @anyio         anyio.abc.UDPSocket.receive
    [[nodiscard]] detail::receive_datagram<item_type, item_type>
    receive(std::size_t max_bytes = 65536) noexcept {
        return {*this, max_bytes};
    }

    /// The same for loops: `while (auto packet = co_await socket.next())`. There is no end
    /// of datagrams, so it is never empty.
    ///
    /// @throws        as receive()
    /// @checkpoint    always
    /// @cancellation  atomic: no datagram is lost
    /// @allocates     the datagram
    [[nodiscard]] detail::receive_datagram<item_type, std::optional<item_type>>
    next(std::size_t max_bytes = 65536) noexcept {
        return {*this, max_bytes};
    }

    /// Receives one datagram into `buffer`, as much of it as there is room for.
    ///
    /// @param buffer  not empty
    /// @throws        as receive(), but a datagram that is too large is reported
    /// @checkpoint    always
    /// @cancellation  atomic: no datagram is lost
    /// @allocates     nothing
    [[nodiscard]] detail::receive_datagram_into<received_datagram<Address>>
    receive_into(byte_span buffer) noexcept {
        return {*this, buffer};
    }

    /// Sends one datagram, waiting while the system has no room for it. That it arrives is
    /// not known.
    ///
    /// @param data  bytes or text; must stay unchanged until this returns. May be empty
    /// @throws closed_resource_error  if this socket was closed, before or meanwhile
    /// @throws busy_resource_error    if another task is already sending
    /// @throws os_error               if the system refuses: EMSGSIZE if it is too large,
    ///                                ENETUNREACH, ... The socket is as it was
    /// @checkpoint    always
    /// @cancellation  atomic: nothing was sent
    /// @allocates     nothing
    /// @anyio         anyio.abc.UDPSocket.sendto
    [[nodiscard]] detail::send_datagram_to
    send_to(byte_view data, const Address& to) noexcept {
        return {*this, data, to};
    }

    /// Sends `packet.data` to `packet.address`.
    ///
    /// @param packet  must stay unchanged until this returns
    /// @throws        as send_to()
    /// @checkpoint    always
    /// @cancellation  atomic: nothing was sent
    /// @allocates     nothing
    /// @anyio         anyio.abc.UDPSocket.send
    [[nodiscard]] detail::send_datagram_to send(const item_type& packet) noexcept {
        return {*this, packet.data, packet.address};
    }

    /// Closes the socket, as the destructor does, and waits until the system has let go of
    /// it: then its address is free. Does nothing if it is closed.
    ///
    /// @throws nothing
    /// @checkpoint    always
    /// @cancellation  closes: it is closed in any case, but does not wait
    /// @allocates     nothing
    /// @anyio         anyio.abc.AsyncResource.aclose
    [[nodiscard]] detail::datagram_close_operation aclose() noexcept {
        return detail::datagram_close_operation(*this);
    }

    /// Whether it was closed here, or moved from.
    [[nodiscard]] bool is_closed() const noexcept { return fd() < 0; }

    /// The descriptor, still owned by the socket; -1 if that is closed. For socket
    /// options; do not read, write or close it.
    [[nodiscard]] int native_handle() const noexcept { return fd(); }

protected:
    using datagram_core::datagram_core;

    /// Operations that wait go on, on the new object. The old one is closed.
    datagram_socket(datagram_socket&& other) noexcept = default;
    datagram_socket& operator=(datagram_socket&& other) noexcept = default;
    ~datagram_socket() = default;
};

/// The base of connected_udp_socket and connected_unix_datagram_socket: datagrams from and
/// to one peer. An unreliable_object_stream of `bytes`; otherwise as datagram_socket.
///
/// @threads      loop
/// @concurrency  one receive and one send at a time, else busy_resource_error
class connected_datagram_socket : protected detail::datagram_core {
public:
    using item_type = bytes;
    using may_lose_items = void;  // for the stream concepts

    /// Receives one datagram, waiting until there is one. It may be empty.
    ///
    /// @param max_bytes  at least 1; the memory for so many, but not for more than the largest
    ///                   datagram, is there while it waits
    /// @throws closed_resource_error  if this socket was closed, before or meanwhile
    /// @throws busy_resource_error    if another task is already receiving
    /// @throws broken_resource_error  if nobody is there to get what was sent; caused by the
    ///                                os_error: ECONNREFUSED, EHOSTUNREACH, ... The socket
    ///                                is as it was, and the peer may come
    /// @throws os_error               EMSGSIZE if the datagram had more bytes; it is lost
    /// @throws usage_error            if `max_bytes` is 0
    /// @checkpoint    always
    /// @cancellation  atomic: no datagram is lost
    /// @allocates     the datagram
    /// @anyio         anyio.abc.ConnectedUDPSocket.receive
    [[nodiscard]] detail::receive_datagram<bytes, bytes>
    receive(std::size_t max_bytes = 65536) noexcept {
        return {*this, max_bytes};
    }

    /// The same for loops: `while (auto data = co_await socket.next())`. There is no end of
    /// datagrams, so it is never empty.
    ///
    /// @throws        as receive()
    /// @checkpoint    always
    /// @cancellation  atomic: no datagram is lost
    /// @allocates     the datagram
    [[nodiscard]] detail::receive_datagram<bytes, std::optional<bytes>>
    next(std::size_t max_bytes = 65536) noexcept {
        return {*this, max_bytes};
    }

    /// Receives one datagram into `buffer`, as much of it as there is room for.
    ///
    /// @param buffer  not empty
    /// @throws        as receive(), but a datagram that is too large is reported
    /// @checkpoint    always
    /// @cancellation  atomic: no datagram is lost
    /// @allocates     nothing
    [[nodiscard]] detail::receive_datagram_into<received_from_peer>
    receive_into(byte_span buffer) noexcept {
        return {*this, buffer};
    }

    /// Sends one datagram, waiting while the system has no room for it. That it arrives is
    /// not known.
    ///
    /// @param data  bytes or text; must stay unchanged until this returns. May be empty
    /// @throws closed_resource_error  if this socket was closed, before or meanwhile
    /// @throws busy_resource_error    if another task is already sending
    /// @throws broken_resource_error  if nobody was there for what was sent before; this one
    ///                                was not sent
    /// @throws os_error               if the system refuses: EMSGSIZE if it is too large
    /// @checkpoint    always
    /// @cancellation  atomic: nothing was sent
    /// @allocates     nothing
    /// @anyio         anyio.abc.ConnectedUDPSocket.send
    [[nodiscard]] detail::send_datagram send(byte_view data) noexcept {
        return {*this, data};
    }

    /// Closes the socket, as the destructor does, and waits until the system has let go of
    /// it: then its address is free. Does nothing if it is closed.
    ///
    /// @throws nothing
    /// @checkpoint    always
    /// @cancellation  closes: it is closed in any case, but does not wait
    /// @allocates     nothing
    /// @anyio         anyio.abc.AsyncResource.aclose
    [[nodiscard]] detail::datagram_close_operation aclose() noexcept {
        return detail::datagram_close_operation(*this);
    }

    /// Whether it was closed here, or moved from.
    [[nodiscard]] bool is_closed() const noexcept { return fd() < 0; }

    /// The descriptor, still owned by the socket; -1 if that is closed. For socket
    /// options; do not read, write or close it.
    [[nodiscard]] int native_handle() const noexcept { return fd(); }

protected:
    using datagram_core::datagram_core;

    /// Operations that wait go on, on the new object. The old one is closed.
    connected_datagram_socket(connected_datagram_socket&& other) noexcept = default;
    connected_datagram_socket&
    operator=(connected_datagram_socket&& other) noexcept = default;
    ~connected_datagram_socket() = default;
};

}  // namespace anyio
