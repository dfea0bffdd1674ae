// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// byte_receive_stream, byte_send_stream, byte_stream: the concepts, and in `abc` the
/// forms that hold any such stream. Manual: docs/manual/streams.md#stream-concepts

#include <anyio/abc/async_resource.hpp>
#include <anyio/abc/detail/byte_stream_model.hpp>
#include <anyio/base/bytes.hpp>
#include <anyio/typedattrs/provider.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <optional>
#include <utility>

namespace anyio::abc {

/// Holds any byte_receive_stream: for interfaces that must not be templates.
///
/// Each call costs a coroutine frame, recycled, and a virtual call. Attributes of what is
/// inside are found by extra(). It moves; moved from, it is closed.
///
/// @threads  loop
/// @anyio    anyio.abc.ByteReceiveStream
class byte_receive_stream : public detail::erased_byte_stream {
public:
    template <class S>
        requires(!std::same_as<S, byte_receive_stream>) && anyio::byte_receive_stream<S>
    byte_receive_stream(S stream) : erased_byte_stream(std::move(stream)) {}

    using erased_byte_stream::next;
    using erased_byte_stream::receive;
    using erased_byte_stream::receive_some;
};

/// Holds any byte_send_stream. See byte_receive_stream.
///
/// @threads  loop
/// @anyio    anyio.abc.ByteSendStream
class byte_send_stream : public detail::erased_byte_stream {
public:
    template <class S>
        requires(!std::same_as<S, byte_send_stream>) && anyio::byte_send_stream<S>
    byte_send_stream(S stream) : erased_byte_stream(std::move(stream)) {}

    using erased_byte_stream::send;
};

/// Holds any byte_stream. See byte_receive_stream.
///
/// @threads  loop
/// @anyio    anyio.abc.ByteStream
class byte_stream : public detail::erased_byte_stream {
public:
    template <class S>
        requires(!std::same_as<S, byte_stream>) && anyio::byte_stream<S>
    byte_stream(S stream) : erased_byte_stream(std::move(stream)) {}

    using erased_byte_stream::next;
    using erased_byte_stream::receive;
    using erased_byte_stream::receive_some;
    using erased_byte_stream::send;
    using erased_byte_stream::send_eof;
};

/// Gives receive() and next() to a stream of yours that has receive_some():
/// `class my_stream : public abc::byte_receiver<my_stream> { ... };`
template <class Derived>
class byte_receiver {
public:
    /// The next bytes; empty at the end.
    ///
    /// @throws        what receive_some() throws
    /// @checkpoint    as receive_some()
    /// @cancellation  as receive_some()
    /// @threads       loop
    [[nodiscard]] task<std::optional<bytes>> next(std::size_t max_bytes = 65536) {
        // Not what is asked for, which may be no limit at all, but what may come at once.
        bytes chunk(std::min(max_bytes, std::size_t{65536}));
        const std::size_t got =
            co_await static_cast<Derived*>(this)->receive_some(chunk.span());
        if (got == 0)
            co_return std::nullopt;
        chunk.resize(got);
        chunk.shrink_to_fit();
        co_return std::optional<bytes>(std::move(chunk));
    }

    /// The next bytes; at least one.
    ///
    /// @throws end_of_stream, and what receive_some() throws
    /// @checkpoint    as receive_some()
    /// @cancellation  as receive_some()
    [[nodiscard]] task<bytes> receive(std::size_t max_bytes = 65536) {
        auto chunk = co_await next(max_bytes);
        if (!chunk)
            detail::throw_end_of("receive");
        co_return std::move(*chunk);
    }

protected:
    byte_receiver() noexcept = default;
    ~byte_receiver() = default;
    byte_receiver(byte_receiver&&) noexcept = default;
    byte_receiver& operator=(byte_receiver&&) noexcept = default;
};

}  // namespace anyio::abc
