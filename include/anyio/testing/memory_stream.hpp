// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// memory_stream_pair, lockstep_stream_pair: byte streams without an operating system.
/// Manual: docs/manual/testing.md#byte-streams-in-memory

#include <anyio/abc/async_resource.hpp>
#include <anyio/base/bytes.hpp>
#include <anyio/streams/stapled.hpp>
#include <anyio/testing/detail/byte_pipe.hpp>

#include <cstddef>
#include <limits>
#include <optional>
#include <utility>

namespace anyio::testing {

/// The sending end of a pipe in memory. The destructor closes it: the other end sees the
/// end of the stream.
///
/// @threads      loop
/// @concurrency  one send at a time, else busy_resource_error
/// @anyio        trio.testing.MemorySendStream
class memory_send_stream {
public:
    explicit memory_send_stream(std::shared_ptr<detail::byte_pipe> pipe) noexcept
        : pipe_(std::move(pipe)) {}

    memory_send_stream(memory_send_stream&&) noexcept = default;

    /// Closes what this was.
    memory_send_stream& operator=(memory_send_stream&& other) noexcept {
        if (this != &other) {
            close();
            pipe_ = std::move(other.pipe_);
        }
        return *this;
    }

    ~memory_send_stream() { close(); }

    /// Sends all of `data`, waiting while the pipe is full; in lockstep, until all is
    /// received.
    ///
    /// @throws closed_resource_error  if this end was closed, before or meanwhile, or
    ///                                send_eof() has ended it
    /// @throws busy_resource_error    if another task is already sending
    /// @throws broken_resource_error  if the other end is closed, or was meanwhile
    /// @checkpoint    always
    /// @cancellation  partial: a prefix of `data` has been sent
    [[nodiscard]] detail::pipe_send send(byte_view data) noexcept {
        return {pipe_.get(), data};
    }

    /// Ends the stream. The second time it does nothing.
    ///
    /// @throws closed_resource_error, busy_resource_error
    /// @checkpoint    always
    /// @cancellation  atomic
    [[nodiscard]] detail::pipe_send_eof send_eof() noexcept {
        return detail::pipe_send_eof(pipe_.get());
    }

    void close() noexcept {
        if (pipe_)
            pipe_->close_sender();
        pipe_.reset();
    }

    /// close(), for `with` and whoever closes streams.
    ///
    /// @checkpoint    always
    /// @cancellation  closes: it is closed in any case
    [[nodiscard]] abc::close_operation aclose() noexcept {
        return {this, [](void* self) noexcept {
                    static_cast<memory_send_stream*>(self)->close();
                }};
    }

private:
    std::shared_ptr<detail::byte_pipe> pipe_;  // null: closed
};

/// The receiving end of a pipe in memory. The destructor closes it: the other end breaks.
///
/// @threads      loop
/// @concurrency  one receive at a time, else busy_resource_error
/// @anyio        trio.testing.MemoryReceiveStream
class memory_receive_stream {
public:
    explicit memory_receive_stream(std::shared_ptr<detail::byte_pipe> pipe) noexcept
        : pipe_(std::move(pipe)) {}

    memory_receive_stream(memory_receive_stream&&) noexcept = default;

    /// Closes what this was.
    memory_receive_stream& operator=(memory_receive_stream&& other) noexcept {
        if (this != &other) {
            close();
            pipe_ = std::move(other.pipe_);
        }
        return *this;
    }

    ~memory_receive_stream() { close(); }

    /// As anyio::byte_receive_stream says.
    [[nodiscard]] detail::pipe_receive receive(std::size_t max_bytes = 65536) noexcept {
        return {pipe_.get(), max_bytes};
    }

    [[nodiscard]] detail::pipe_next next(std::size_t max_bytes = 65536) noexcept {
        return {pipe_.get(), max_bytes};
    }

    [[nodiscard]] detail::pipe_receive_some receive_some(byte_span buffer) noexcept {
        return {pipe_.get(), buffer};
    }

    void close() noexcept {
        if (pipe_)
            pipe_->close_receiver();
        pipe_.reset();
    }

    /// close(), for `with` and whoever closes streams.
    ///
    /// @checkpoint    always
    /// @cancellation  closes: it is closed in any case
    [[nodiscard]] abc::close_operation aclose() noexcept {
        return {this, [](void* self) noexcept {
                    static_cast<memory_receive_stream*>(self)->close();
                }};
    }

private:
    std::shared_ptr<detail::byte_pipe> pipe_;  // null: closed
};

/// One end of a connection in memory.
using memory_stream = stapled_byte_stream<memory_send_stream, memory_receive_stream>;

/// A pipe that takes up to `capacity` bytes before its sender waits: by default, any
/// number.
///
/// @anyio  trio.testing.memory_stream_one_way_pair
[[nodiscard]] std::pair<memory_send_stream, memory_receive_stream>
memory_stream_one_way_pair(
    std::size_t capacity = std::numeric_limits<std::size_t>::max()
);

/// Two connected byte streams, with such a pipe in each direction.
///
/// @anyio  trio.testing.memory_stream_pair
[[nodiscard]] std::pair<memory_stream, memory_stream>
memory_stream_pair(std::size_t capacity = std::numeric_limits<std::size_t>::max());

/// The same without any buffer: a send ends when its last byte is received. Finds
/// programs that only work because the system buffers.
///
/// @anyio  trio.testing.lockstep_stream_one_way_pair
[[nodiscard]] std::pair<memory_send_stream, memory_receive_stream>
lockstep_stream_one_way_pair();

/// @anyio  trio.testing.lockstep_stream_pair
[[nodiscard]] std::pair<memory_stream, memory_stream> lockstep_stream_pair();

}  // namespace anyio::testing
