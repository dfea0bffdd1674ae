// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// socket_stream: one connected TCP socket. Manual: docs/manual/networking.md#streams

#include <anyio/base/bytes.hpp>
#include <anyio/networking/detail/stream_operation.hpp>
#include <anyio/networking/socket_address.hpp>
#include <anyio/networking/socket_attribute.hpp>

#include <cstddef>

namespace anyio {

/// A TCP connection: bytes, in order, in both directions, until either side ends its own.
///
/// What connect_tcp() and tcp_listener::accept() yield. Small packets are sent at once
/// (TCP_NODELAY). One task may receive while another sends; two in one direction is a
/// mistake, and says whose. Nothing received is lost: a receive that has its bytes when
/// the task is cancelled returns them.
///
/// A resource: it moves, it does not copy. The destructor closes the socket at once, and
/// the system goes on sending what it has taken; unless something received was never
/// read, which makes it a reset (RFC 2525, 2.17). A task that still waits gets
/// closed_resource_error. It must be destroyed in the thread of its loop, or after that
/// has ended.
///
/// @threads      loop
/// @concurrency  one receive and one send at a time, else busy_resource_error
/// @anyio        anyio.abc.SocketStream
class socket_stream : private detail::stream_core {
public:
    /// Operations that wait go on, on the new object. The old one is closed.
    socket_stream(socket_stream&& other) noexcept = default;
    /// Closes what this was.
    socket_stream& operator=(socket_stream&& other) noexcept = default;
    ~socket_stream() = default;

    /// Receives what there is, waiting until there is something.
    ///
    /// While it waits it holds no buffer.
    ///
    /// @param max_bytes  at least 1
    /// @returns  1 to `max_bytes` bytes
    /// @throws end_of_stream          if the peer has ended its side, and all is read
    /// @throws closed_resource_error  if this stream was closed, before or meanwhile
    /// @throws busy_resource_error    if another task is already receiving
    /// @throws broken_resource_error  if the connection is lost; caused by the os_error
    /// @throws usage_error            if `max_bytes` is 0
    /// @checkpoint    always
    /// @cancellation  atomic
    /// @allocates     the result
    /// @anyio         anyio.abc.ByteReceiveStream.receive
    [[nodiscard]] detail::receive_operation
    receive(std::size_t max_bytes = 65536) noexcept {
        return {*this, max_bytes};
    }

    /// The same for loops: `while (auto chunk = co_await stream.next())`.
    ///
    /// @returns  empty at the end of the stream
    /// @throws        as receive(), but for end_of_stream
    /// @checkpoint    always
    /// @cancellation  atomic
    /// @allocates     the result
    /// @anyio         anyio.abc.ByteReceiveStream.__anext__
    [[nodiscard]] detail::next_operation next(std::size_t max_bytes = 65536) noexcept {
        return {*this, max_bytes};
    }

    /// Receives into `buffer`, waiting until there is something.
    ///
    /// @param buffer  not empty
    /// @returns  how many bytes came, 0 at the end of the stream
    /// @throws        as receive(), but for end_of_stream
    /// @checkpoint    always
    /// @cancellation  atomic: nothing was taken from the stream
    /// @allocates     nothing
    [[nodiscard]] detail::receive_some_operation
    receive_some(byte_span buffer) noexcept {
        return {*this, buffer};
    }

    /// Sends all of `data`, in order, waiting while the peer is slow.
    ///
    /// Returns when the operating system has accepted the last byte; that the peer has
    /// read it is not known.
    ///
    /// @param data  bytes or text; must stay unchanged until this returns. May be empty
    /// @throws closed_resource_error  if this stream was closed, before or meanwhile, or
    ///                                send_eof() has ended it
    /// @throws busy_resource_error    if another task is already sending
    /// @throws broken_resource_error  if the peer is gone; caused by the os_error
    /// @checkpoint    always
    /// @cancellation  partial: any prefix of `data` may have been sent, and there is no
    ///                way to know which; close the stream
    /// @allocates     nothing
    /// @anyio         anyio.abc.ByteSendStream.send
    [[nodiscard]] detail::send_operation send(byte_view data) noexcept {
        return {*this, data};
    }

    /// Sends as much of `data` as the operating system takes at once, waiting until that
    /// is something.
    ///
    /// @returns  how many bytes were sent; 0 only of none
    /// @throws        as send()
    /// @checkpoint    always
    /// @cancellation  atomic: nothing was sent
    /// @allocates     nothing
    [[nodiscard]] detail::send_some_operation send_some(byte_view data) noexcept {
        return {*this, data};
    }

    /// Ends this side: the peer sees the end of the stream after what was sent. It may go
    /// on sending. The second time it does nothing.
    ///
    /// @throws closed_resource_error  if this stream was closed
    /// @throws busy_resource_error    if a task is sending
    /// @throws broken_resource_error  if the connection is lost; caused by the os_error
    /// @checkpoint    always
    /// @cancellation  atomic
    /// @allocates     nothing
    /// @anyio         anyio.abc.ByteStream.send_eof
    [[nodiscard]] detail::send_eof_operation send_eof() noexcept {
        return detail::send_eof_operation(*this);
    }

    /// Closes the stream, as the destructor does. Does nothing if it is closed.
    ///
    /// @throws nothing
    /// @checkpoint    always
    /// @cancellation  shielded: it is closed in any case
    /// @allocates     nothing
    /// @anyio         anyio.abc.AsyncResource.aclose
    [[nodiscard]] detail::close_operation aclose() noexcept {
        return {this, [](void* self) noexcept {
                    static_cast<socket_stream*>(self)->close_now();
                }};
    }

    /// Whether it was closed here, or moved from.
    [[nodiscard]] bool is_closed() const noexcept { return target_ == nullptr; }

    /// Where the peer is; known also when the connection has ended.
    [[nodiscard]] const ip_endpoint& remote_address() const noexcept { return remote_; }

    /// Where this side is.
    ///
    /// @throws closed_resource_error  if the stream was closed
    [[nodiscard]] ip_endpoint local_address() const;

    /// The descriptor, still owned by the stream; -1 if that is closed. For socket
    /// options; do not read, write or close it.
    [[nodiscard]] int native_handle() const noexcept {
        return target_ ? target_->fd : -1;
    }

    using extra_attributes = attribute_list<
        socket_attribute::local_address,
        socket_attribute::local_port,
        socket_attribute::remote_address,
        socket_attribute::remote_port,
        socket_attribute::raw_socket>;

    /// For extra(), which finds them through whatever is wrapped around the stream.
    ///
    /// @throws closed_resource_error  for the local ones, if the stream was closed
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
        : stream_core(target), remote_(remote) {}

private:
    friend detail::stream_core;

    ip_endpoint remote_;
};

}  // namespace anyio
