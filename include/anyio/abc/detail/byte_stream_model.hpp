// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The concepts of byte streams, and erased_byte_stream: any of them behind one type.
/// Included through abc/byte_stream.hpp.

#include <anyio/abc/async_resource.hpp>
#include <anyio/abc/detail/awaits.hpp>
#include <anyio/base/bytes.hpp>
#include <anyio/base/light_std.hpp>
#include <anyio/typedattrs/provider.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <utility>

namespace anyio {

/// Bytes arrive, in order, until the end.
///
/// - `receive(max)`: 1 to `max` bytes, waiting for the first; end_of_stream at the end;
///   `max` may be left out; 0 is a usage_error;
/// - `next(max)`: the same, empty at the end, for loops;
/// - `receive_some(span)`: into a buffer of yours; 0 at the end;
/// - `aclose()`.
///
/// All are atomic: what is cut short has taken nothing from the stream.
///
/// @anyio  anyio.abc.ByteReceiveStream
template <class S>
concept byte_receive_stream =
    async_resource<S> && requires(S& stream, std::size_t max, byte_span buffer) {
        { stream.receive() } -> detail::awaits<bytes>;
        { stream.receive(max) } -> detail::awaits<bytes>;
        { stream.next() } -> detail::awaits<std::optional<bytes>>;
        { stream.next(max) } -> detail::awaits<std::optional<bytes>>;
        { stream.receive_some(buffer) } -> detail::awaits<std::size_t>;
    };

/// Bytes go out, in order: `send(data)` sends all of it, and `aclose()`. A send that is
/// cut short may have sent a part.
///
/// @anyio  anyio.abc.ByteSendStream
template <class S>
concept byte_send_stream = async_resource<S> && requires(S& stream, byte_view data) {
    { stream.send(data) } -> detail::awaits<void>;
};

/// Both, and `send_eof()`: ends the outgoing side; bytes still arrive.
///
/// @anyio  anyio.abc.ByteStream
template <class S>
concept byte_stream =
    byte_receive_stream<S> && byte_send_stream<S> && requires(S& stream) {
        { stream.send_eof() } -> detail::awaits<void>;
    };

namespace detail {

/// What an erased stream may be asked.
class byte_stream_face {
public:
    virtual ~byte_stream_face() = default;

    virtual task<bytes> receive(std::size_t max_bytes) = 0;
    virtual task<std::optional<bytes>> next(std::size_t max_bytes) = 0;
    virtual task<std::size_t> receive_some(byte_span buffer) = 0;
    virtual task<> send(byte_view data) = 0;
    virtual task<> send_eof() = 0;
    virtual task<> aclose() = 0;
    [[nodiscard]] virtual bool look_up(attribute_query& query) const = 0;
};

/// The erased forms only offer what the stream inside can do.
template <class S>
class byte_stream_model final : public byte_stream_face {
public:
    explicit byte_stream_model(S stream) : stream_(std::move(stream)) {}

    task<bytes> receive([[maybe_unused]] std::size_t max_bytes) override {
        bytes chunk;
        if constexpr (byte_receive_stream<S>)
            chunk = co_await stream_.receive(max_bytes);
        co_return chunk;
    }

    task<std::optional<bytes>> next([[maybe_unused]] std::size_t max_bytes) override {
        std::optional<bytes> chunk;
        if constexpr (byte_receive_stream<S>)
            chunk = co_await stream_.next(max_bytes);
        co_return chunk;
    }

    task<std::size_t> receive_some([[maybe_unused]] byte_span buffer) override {
        std::size_t got = 0;
        if constexpr (byte_receive_stream<S>)
            got = co_await stream_.receive_some(buffer);
        co_return got;
    }

    task<> send([[maybe_unused]] byte_view data) override {
        if constexpr (byte_send_stream<S>)
            co_await stream_.send(data);
        co_return;
    }

    task<> send_eof() override {
        if constexpr (byte_stream<S>)
            co_await stream_.send_eof();
        co_return;
    }

    task<> aclose() override { co_await stream_.aclose(); }

    [[nodiscard]] bool look_up(attribute_query& query) const override {
        return anyio::look_up_attribute(stream_, query);
    }

private:
    S stream_;
};

/// The base of the erased forms, each of which shows a part of it.
class erased_byte_stream {
public:
    using extra_attributes = attribute_list<run_time_attributes>;

    /// Closes the stream inside. The second time it does nothing.
    ///
    /// @checkpoint    as the stream inside
    /// @cancellation  closes: it is closed in any case
    [[nodiscard]] task<> aclose() {
        if (face_)
            co_await face_->aclose();
    }

    [[nodiscard]] bool look_up_attribute(attribute_query& query) const {
        return face_ && face_->look_up(query);
    }

protected:
    template <class S>
    explicit erased_byte_stream(S stream)
        : face_(new byte_stream_model<S>(std::move(stream))) {}

    [[nodiscard]] task<bytes> receive(std::size_t max_bytes = 65536) {
        return face("receive").receive(max_bytes);
    }

    [[nodiscard]] task<std::optional<bytes>> next(std::size_t max_bytes = 65536) {
        return face("receive").next(max_bytes);
    }

    [[nodiscard]] task<std::size_t> receive_some(byte_span buffer) {
        return face("receive").receive_some(buffer);
    }

    [[nodiscard]] task<> send(byte_view data) { return face("send").send(data); }

    [[nodiscard]] task<> send_eof() { return face("send_eof").send_eof(); }

private:
    [[nodiscard]] byte_stream_face& face(const char* operation) const {
        if (!face_)
            throw_erased_closed(operation);
        return *face_;
    }

    std::unique_ptr<byte_stream_face> face_;
};

}  // namespace detail

}  // namespace anyio
