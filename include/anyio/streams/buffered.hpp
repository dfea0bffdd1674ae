// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// buffered_byte_receive_stream, buffered_byte_stream: an exact number of bytes, or all
/// up to a delimiter. Manual: docs/manual/streams.md#buffered-streams

#include <anyio/abc/connectable.hpp>
#include <anyio/lowlevel/checkpoint.hpp>
#include <anyio/streams/detail/byte_buffer.hpp>
#include <anyio/streams/detail/chunks.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace anyio {

/// Receives from any byte stream, or object stream of bytes, through a buffer.
///
/// It owns the stream it is made of; of a reference, `buffered_byte_receive_stream<S&>`,
/// it uses one that outlives it. What a call has not returned stays in the buffer: nothing
/// is lost if the call is cancelled or fails.
///
/// A resource: it moves, while no task uses it; it must outlive the tasks that do.
///
/// @threads      loop
/// @concurrency  one receive at a time, else busy_resource_error
/// @anyio        anyio.streams.buffered.BufferedByteReceiveStream
template <detail::chunk_source S>
class buffered_byte_receive_stream : public detail::wrapped_stream<S> {
public:
    explicit buffered_byte_receive_stream(S stream)
        : detail::wrapped_stream<S>(std::forward<S>(stream)) {}

    /// What has come and is not taken yet. Valid until the next call.
    [[nodiscard]] byte_view buffer() const noexcept { return buffer_.view(); }

    /// Puts bytes behind those in the buffer, as if they had come from the stream.
    ///
    /// @throws closed_resource_error  if the stream is closed
    void feed_data(byte_view data) {
        check_open();
        if (!data.empty())
            buffer_.append(bytes(data));
    }

    /// What is in the buffer; or, if that is empty, what comes.
    ///
    /// @param max_bytes  at least 1
    /// @returns  1 to `max_bytes` bytes
    /// @throws end_of_stream          at the end of the stream
    /// @throws closed_resource_error  if this stream was closed, before or meanwhile
    /// @throws busy_resource_error    if another task is already receiving
    /// @throws usage_error            if `max_bytes` is 0
    /// @throws  what the wrapped stream throws
    /// @checkpoint    always
    /// @cancellation  atomic
    /// @anyio         anyio.streams.buffered.BufferedByteReceiveStream.receive
    [[nodiscard]] task<bytes> receive(std::size_t max_bytes = 65536) {
        std::optional<bytes> chunk = co_await next(max_bytes);
        if (!chunk)
            detail::throw_end_of("receive on buffered stream");
        co_return std::move(*chunk);
    }

    /// The same for loops, empty at the end.
    ///
    /// @checkpoint    always
    /// @cancellation  atomic
    [[nodiscard]] task<std::optional<bytes>> next(std::size_t max_bytes = 65536) {
        if (max_bytes == 0)
            detail::throw_no_room(where);
        const detail::use_guard receiving(receiving_, "receiving", where);
        co_await lowlevel::checkpoint_if_due();
        check_open();
        std::optional<bytes> result;
        if (buffer_.empty()) {
            const bool more = co_await fill(max_bytes);
            if (!more)
                co_return result;
        }
        result = buffer_.take(std::min(max_bytes, buffer_.size()));
        co_return result;
    }

    /// The same into a buffer of yours.
    ///
    /// @param into  not empty
    /// @returns  how many bytes came, 0 at the end of the stream
    /// @checkpoint    always
    /// @cancellation  atomic
    [[nodiscard]] task<std::size_t> receive_some(byte_span into) {
        if (into.empty())
            detail::throw_no_room(where);
        const detail::use_guard receiving(receiving_, "receiving", where);
        co_await lowlevel::checkpoint_if_due();
        check_open();
        if (buffer_.empty()) {
            const bool more = co_await fill(into.size());
            if (!more)
                co_return std::size_t{0};
        }
        co_return buffer_.take_into(into);
    }

    /// Exactly `size` bytes.
    ///
    /// @throws incomplete_read  if the stream ends before; what came stays in the buffer
    /// @throws usage_error      if `size` is a negative number that was converted
    /// @throws  otherwise as receive()
    /// @checkpoint    always
    /// @cancellation  atomic: what came stays in the buffer
    /// @anyio         anyio.streams.buffered.BufferedByteReceiveStream.receive_exactly
    [[nodiscard]] task<bytes> receive_exactly(std::size_t size) {
        detail::check_exact_size("receive_exactly", size);
        const detail::use_guard receiving(receiving_, "receiving", where);
        co_await lowlevel::checkpoint_if_due();
        check_open();
        while (buffer_.size() < size) {
            const bool more = co_await fill(size - buffer_.size());
            if (!more)
                detail::throw_incomplete_read("receive_exactly", size, buffer_.size());
        }
        co_return buffer_.take(size);
    }

    /// The same for loops: empty if the stream ends where the first of them would be.
    ///
    /// ```
    /// while (auto head = co_await stream.next_exactly(4))
    ///     ...
    /// ```
    ///
    /// @throws        as receive_exactly()
    /// @checkpoint    always
    /// @cancellation  atomic: what came stays in the buffer
    [[nodiscard]] task<std::optional<bytes>> next_exactly(std::size_t size) {
        detail::check_exact_size("next_exactly", size);
        const detail::use_guard receiving(receiving_, "receiving", where);
        co_await lowlevel::checkpoint_if_due();
        check_open();
        std::optional<bytes> result;
        while (buffer_.size() < size) {
            const bool more = co_await fill(size - buffer_.size());
            if (more)
                continue;
            if (buffer_.empty())
                co_return result;
            detail::throw_incomplete_read("next_exactly", size, buffer_.size());
        }
        result = buffer_.take(size);
        co_return result;
    }

    /// Passes over exactly `size` bytes; they are never all in memory.
    ///
    /// @throws incomplete_read  if the stream ends before
    /// @throws  otherwise as receive()
    /// @checkpoint    always
    /// @cancellation  partial: some of them may be gone
    [[nodiscard]] task<> skip(std::size_t size) {
        detail::check_exact_size("skip", size);
        const detail::use_guard receiving(receiving_, "receiving", where);
        co_await lowlevel::checkpoint_if_due();
        check_open();
        for (std::size_t rest = size;;) {
            rest -= buffer_.drop_up_to(rest);
            if (rest == 0)
                co_return;
            const bool more = co_await fill(rest);
            if (!more)
                detail::throw_incomplete_skip(size, size - rest);
        }
    }

    /// All up to `delimiter`, which is taken from the stream and is not in the result.
    ///
    /// @param delimiter  not empty; must stay unchanged until this returns
    /// @param max_bytes  the delimiter must lie within the first so many bytes, itself
    ///                   included. There is no default: the peer decides how much comes
    /// @throws delimiter_not_found  if it does not
    /// @throws incomplete_read      if the stream ends before it
    /// @throws usage_error          if `delimiter` is empty or longer than `max_bytes`, or
    ///                              `max_bytes` is a negative number that was converted
    /// @throws  otherwise as receive(). In each case what came stays in the buffer
    /// @checkpoint    always
    /// @cancellation  atomic: what came stays in the buffer
    /// @anyio         anyio.streams.buffered.BufferedByteReceiveStream.receive_until
    [[nodiscard]] task<bytes>
    receive_until(byte_view delimiter, std::size_t max_bytes) {
        detail::delimiter_search search(delimiter, max_bytes);
        const detail::use_guard receiving(receiving_, "receiving", where);
        co_await lowlevel::checkpoint_if_due();
        check_open();
        while (!search.finds_in(buffer_)) {
            const bool more = co_await fill(chunk_size);
            if (!more)
                detail::throw_incomplete_line("receive_until", buffer_.size());
        }
        co_return search.take_from(buffer_);
    }

    /// The same for loops: empty if the stream ends behind a delimiter.
    ///
    /// ```
    /// while (auto line = co_await stream.next_until("\n", 4096))
    ///     ...
    /// ```
    ///
    /// @throws        as receive_until(); incomplete_read if the last line has no end
    /// @checkpoint    always
    /// @cancellation  atomic: what came stays in the buffer
    [[nodiscard]] task<std::optional<bytes>>
    next_until(byte_view delimiter, std::size_t max_bytes) {
        detail::delimiter_search search(delimiter, max_bytes);
        const detail::use_guard receiving(receiving_, "receiving", where);
        co_await lowlevel::checkpoint_if_due();
        check_open();
        std::optional<bytes> result;
        while (!search.finds_in(buffer_)) {
            const bool more = co_await fill(chunk_size);
            if (more)
                continue;
            if (buffer_.empty())
                co_return result;
            detail::throw_incomplete_line("next_until", buffer_.size());
        }
        result = search.take_from(buffer_);
        co_return result;
    }

    /// Closes this and the wrapped stream. What is in the buffer is gone.
    ///
    /// @checkpoint    as the wrapped stream
    /// @cancellation  closes: it is closed in any case
    [[nodiscard]] auto aclose() {
        closed_ = true;
        if (!receiving_)
            buffer_.clear();
        return this->stream_.aclose();
    }

protected:
    static constexpr const char* where = "receive on buffered stream";
    static constexpr std::size_t chunk_size = 65536;

private:
    void check_open() const {
        if (closed_)
            detail::throw_wrapper_closed(where);
    }

    /// Waits for more, and buffers it; false at the end of the stream. How much is wanted
    /// may be a wish of the peer's: the room grows with what has come, and not ahead of it.
    [[nodiscard]] task<bool> fill(std::size_t wanted) {
        const std::size_t most = std::max(chunk_size, buffer_.size());
        for (;;) {
            std::optional<bytes> chunk =
                co_await detail::next_chunk(this->stream_, std::min(wanted, most));
            check_open();
            if (!chunk)
                co_return false;
            // An object stream may send nothing, and this must not pass for the end.
            if (!chunk->empty()) {
                buffer_.append(std::move(*chunk));
                co_return true;
            }
        }
    }

    detail::byte_buffer buffer_;
    bool receiving_ = false;
    bool closed_ = false;
};

/// The same with the sending direction of the wrapped stream.
///
/// @anyio  anyio.streams.buffered.BufferedByteStream
template <detail::chunk_source S>
    requires detail::chunk_sink<S>
class buffered_byte_stream : public buffered_byte_receive_stream<S> {
public:
    explicit buffered_byte_stream(S stream)
        : buffered_byte_receive_stream<S>(std::forward<S>(stream)) {}

    /// As send() of the wrapped stream.
    [[nodiscard]] auto send(byte_view data) {
        return detail::send_chunk(this->stream_, data);
    }

    /// As send_eof() of the wrapped stream.
    [[nodiscard]] auto send_eof()
        requires requires(std::remove_reference_t<S>& stream) { stream.send_eof(); }
    {
        return this->stream_.send_eof();
    }
};

/// Connects to `target`, and buffers what comes.
///
/// @anyio  anyio.streams.buffered.BufferedConnectable
template <byte_stream_connectable C>
class buffered_connectable {
public:
    explicit buffered_connectable(C target) : target_(std::move(target)) {}

    /// @throws  what the target throws
    [[nodiscard]] auto connect() const -> task<buffered_byte_stream<
        detail::yielded_t<decltype(std::declval<const C&>().connect())>>> {
        auto stream = co_await target_.connect();
        co_return buffered_byte_stream(std::move(stream));
    }

private:
    C target_;
};

namespace streams {
using anyio::buffered_byte_receive_stream;
using anyio::buffered_byte_stream;
using anyio::buffered_connectable;
}  // namespace streams

}  // namespace anyio
