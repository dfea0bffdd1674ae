// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// text_receive_stream, text_send_stream, text_stream: text over streams of bytes.
/// Manual: docs/manual/streams.md#text-streams

#include <anyio/abc/connectable.hpp>
#include <anyio/streams/detail/byte_buffer.hpp>
#include <anyio/streams/detail/chunks.hpp>
#include <anyio/streams/detail/text_codec.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace anyio {

namespace detail {

/// Text from chunks of bytes.
template <class S>
[[nodiscard]] task<std::optional<std::string>>
next_text(S& stream, text_decoder& decoder, bool& receiving) {
    const use_guard guard(receiving, "receiving", "receive on text stream");
    decoder.check();
    std::optional<std::string> text;
    for (;;) {
        std::optional<bytes> chunk = co_await next_chunk(stream, 65536);
        text = chunk ? decoder.decode(*chunk) : decoder.finish();
        // A chunk may be half a character: that is not the end.
        if (!text->empty())
            co_return text;
        if (!chunk) {
            text.reset();
            co_return text;
        }
        decoder.check();
    }
}

template <class S>
[[nodiscard]] task<>
send_text(S& stream, text_encoder& encoder, std::string_view text) {
    if (encoder.is_encoded(text)) {
        co_await send_chunk(stream, text);
    } else {
        const std::string encoded = encoder.encode(text);
        co_await send_chunk(stream, encoded);
    }
}

}  // namespace detail

/// Receives text, UTF-8 in std::string, from any byte stream or object stream of bytes.
///
/// The pieces are cut where the stream cuts them, but never inside of a character, and
/// none is empty. Owns the stream it is made of, unless S is a reference.
///
/// A resource: it moves, while no task uses it; it must outlive the tasks that do.
///
/// @threads      loop
/// @concurrency  one receive at a time, else busy_resource_error
/// @anyio        anyio.streams.text.TextReceiveStream
template <detail::chunk_source S>
class text_receive_stream : public detail::wrapped_stream<S> {
public:
    using item_type = std::string;

    /// @throws lookup_error  if there is no such encoding
    explicit text_receive_stream(S stream, text_stream_options options = {})
        : detail::wrapped_stream<S>(std::forward<S>(stream)), decoder_(options) {}

    /// @throws end_of_stream        at the end of the stream
    /// @throws unicode_error        if what came is not text, after all text before it;
    ///                              and again at each further call
    /// @throws busy_resource_error  if another task is already receiving
    /// @throws  what the wrapped stream throws
    /// @checkpoint    always
    /// @cancellation  atomic
    /// @anyio         anyio.streams.text.TextReceiveStream.receive
    [[nodiscard]] task<std::string> receive() {
        std::optional<std::string> text = co_await next();
        if (!text)
            detail::throw_end_of("receive on text stream");
        co_return std::move(*text);
    }

    /// The same for loops, empty at the end.
    ///
    /// @checkpoint    always
    /// @cancellation  atomic
    [[nodiscard]] task<std::optional<std::string>> next() {
        return detail::next_text(this->stream_, decoder_, receiving_);
    }

    /// Closes the wrapped stream.
    [[nodiscard]] auto aclose() { return this->stream_.aclose(); }

private:
    detail::text_decoder decoder_;
    bool receiving_ = false;
};

/// Sends text, UTF-8 in std::string_view, to any byte stream or object stream of bytes.
///
/// @threads      loop
/// @concurrency  as the wrapped stream
/// @anyio        anyio.streams.text.TextSendStream
template <detail::chunk_sink S>
class text_send_stream : public detail::wrapped_stream<S> {
public:
    using item_type = std::string;

    /// @throws lookup_error  if there is no such encoding
    explicit text_send_stream(S stream, text_stream_options options = {})
        : detail::wrapped_stream<S>(std::forward<S>(stream)), encoder_(options) {}

    /// @param text  whole characters; must stay unchanged until this returns
    /// @throws unicode_error  if it is not UTF-8, or has no bytes in the encoding; nothing
    ///                        was sent
    /// @throws  what the wrapped stream throws
    /// @checkpoint    always
    /// @cancellation  as the wrapped stream
    /// @anyio         anyio.streams.text.TextSendStream.send
    [[nodiscard]] task<> send(std::string_view text) {
        return detail::send_text(this->stream_, encoder_, text);
    }

    /// Closes the wrapped stream.
    [[nodiscard]] auto aclose() { return this->stream_.aclose(); }

private:
    detail::text_encoder encoder_;
};

/// Text in both directions.
///
/// @threads      loop
/// @concurrency  one receive at a time, else busy_resource_error; sends as the wrapped
///               stream
/// @anyio        anyio.streams.text.TextStream
template <detail::chunk_source S>
    requires detail::chunk_sink<S>
class text_stream : public text_receive_stream<S> {
public:
    /// @throws lookup_error  if there is no such encoding
    explicit text_stream(S stream, text_stream_options options = {})
        : text_receive_stream<S>(std::forward<S>(stream), options), encoder_(options) {}

    /// See text_send_stream::send().
    ///
    /// @checkpoint    as the wrapped stream
    /// @cancellation  as the wrapped stream
    [[nodiscard]] task<> send(std::string_view text) {
        return detail::send_text(this->stream_, encoder_, text);
    }

    /// As send_eof() of the wrapped stream.
    [[nodiscard]] auto send_eof()
        requires requires(std::remove_reference_t<S>& stream) { stream.send_eof(); }
    {
        return this->stream_.send_eof();
    }

private:
    detail::text_encoder encoder_;
};

/// Connects to `target`, and speaks text with it.
///
/// @anyio  anyio.streams.text.TextConnectable
template <byte_stream_connectable C>
class text_connectable {
public:
    explicit text_connectable(C target, text_stream_options options = {})
        : target_(std::move(target)), encoding_(options.encoding),
          errors_(options.errors) {}

    /// @throws lookup_error  if there is no such encoding
    /// @throws  what the target throws
    [[nodiscard]] auto connect() const -> task<
        text_stream<detail::yielded_t<decltype(std::declval<const C&>().connect())>>> {
        auto stream = co_await target_.connect();
        co_return text_stream(
            std::move(stream), {.encoding = encoding_, .errors = errors_}
        );
    }

private:
    C target_;
    std::string encoding_;
    text_errors errors_;
};

namespace streams {
using anyio::text_connectable;
using anyio::text_receive_stream;
using anyio::text_send_stream;
using anyio::text_stream;
}  // namespace streams

}  // namespace anyio
