// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// socket_stream_base: what TCP and UNIX streams have in common.
/// Manual: docs/manual/networking.md#streams

#include <anyio/abc/async_resource.hpp>
#include <anyio/base/bytes.hpp>
#include <anyio/networking/detail/bulk_operation.hpp>
#include <anyio/networking/detail/stream_operation.hpp>
#include <anyio/networking/socket_option.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

namespace anyio {

/// The base of socket_stream and unix_socket_stream: bytes, in order, in both directions,
/// until either side ends its own. It is never used alone.
///
/// One task may receive while another sends; two in one direction is a mistake, and says
/// whose. Nothing received is lost: a receive that has its bytes when the task is cancelled
/// returns them.
///
/// A resource: it moves, it does not copy. The destructor closes the socket at once, and
/// the system goes on sending what it has taken. A task that still waits gets
/// closed_resource_error. It must be destroyed in the thread of its loop, or after that has
/// ended.
///
/// @threads      loop
/// @concurrency  one receive and one send at a time, else busy_resource_error
class socket_stream_base : protected detail::stream_core {
public:
    /// Receives what there is, waiting until there is something.
    ///
    /// While it waits it holds no buffer.
    ///
    /// @param max_bytes  at least 1; however many, memory is for what has come
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

    /// Sends all of several pieces, one after the other, as if they were one: a header and
    /// a body, without copying them together.
    ///
    /// ```
    /// const std::array<byte_view, 2> message{header, body};
    /// co_await stream.send(message);
    /// ```
    ///
    /// @param pieces  any number, 16 to a system call; they and their bytes must stay
    ///                unchanged until this returns. Some or all may be empty
    /// @throws        as the other send()
    /// @checkpoint    always
    /// @cancellation  partial, as the other send()
    /// @allocates     nothing
    [[nodiscard]] detail::send_pieces_operation
    send(std::span<const byte_view> pieces) noexcept {
        return {*this, pieces};
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

    /// Sends a part of a file, which the operating system reads by itself (sendfile(2)).
    ///
    /// Where the file is not in memory, the loop waits for the disk.
    ///
    /// @param fd      a file open for reading; not closed, and its offset does not change
    /// @param count   how many bytes; unless given, all to the end of the file
    /// @returns  how many were sent: fewer than `count` only if the file has ended
    /// @throws        as send()
    /// @throws os_error     if `fd` cannot be read, or is no file: a pipe, for instance. The
    ///                      stream is as it was before, but for what has been sent
    /// @throws usage_error  if `offset` has more than 63 bits
    /// @checkpoint    always
    /// @cancellation  partial: any prefix may have been sent
    /// @allocates     nothing
    [[nodiscard]] detail::send_file_operation send_file(
        int fd,
        std::uint64_t offset = 0,
        std::uint64_t count = std::numeric_limits<std::uint64_t>::max()
    ) noexcept {
        return {*this, fd, offset, count};
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
    [[nodiscard]] abc::close_operation aclose() noexcept {
        return {this, [](void* self) noexcept {
                    static_cast<socket_stream_base*>(self)->close_now();
                }};
    }

    /// Whether it was closed here, or moved from.
    [[nodiscard]] bool is_closed() const noexcept { return fd() < 0; }

    /// The descriptor, still owned by the stream; -1 if that is closed. Do not read,
    /// write or close it.
    [[nodiscard]] int native_handle() const noexcept { return fd(); }

    /// An option as it is set: `stream.get_option<socket_option::keep_alive>()`.
    ///
    /// @throws closed_resource_error  if the stream was closed
    /// @throws os_error               if this kind of socket does not have it
    template <socket_option_key K>
    [[nodiscard]] typename K::value_type get_option() const {
        return K::from_system(detail::get_option(*this, K::id));
    }

    /// Sets an option: `stream.set_option<socket_option::keep_alive>(true)`.
    ///
    /// @throws closed_resource_error  if the stream was closed
    /// @throws usage_error            if the value is negative
    /// @throws os_error               if this kind of socket does not have it, or not with
    ///                                this value
    template <socket_option_key K>
    void set_option(const typename K::value_type& value) {
        detail::set_option(*this, K::id, K::to_system(value));
    }

    /// Any other option, by the numbers of getsockopt(2): `IPPROTO_TCP`, `TCP_INFO`.
    ///
    /// @tparam T  what the system says the value is; what it does not fill is zero
    /// @throws        as get_option()
    template <class T>
    [[nodiscard]] T get_raw_option(int level, int name) const {
        static_assert(
            std::is_trivially_copyable_v<T>,
            "get_raw_option<T>(level, name): T is filled by the operating system: an int, "
            "or the struct of the option's man page"
        );
        T value{};
        detail::get_option(*this, level, name, &value, sizeof(T));
        return value;
    }

    /// The same for setsockopt(2).
    ///
    /// @throws        as set_option()
    template <class T>
    void set_raw_option(int level, int name, const T& value) {
        static_assert(
            std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>,
            "set_raw_option(level, name, value): value is read by the operating system: an "
            "int, or the struct of the option's man page"
        );
        detail::set_option(*this, level, name, &value, sizeof(T));
    }

protected:
    /// Takes over a socket that is connected and registered.
    socket_stream_base(
        backends::descriptor& target, const detail::stream_kind& kind
    ) noexcept
        : stream_core(target, kind) {}

    /// Operations that wait go on, on the new object. The old one is closed.
    socket_stream_base(socket_stream_base&& other) noexcept = default;
    socket_stream_base& operator=(socket_stream_base&& other) noexcept = default;
    ~socket_stream_base() = default;
};

}  // namespace anyio
