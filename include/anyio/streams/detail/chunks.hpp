// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// chunk_source, chunk_sink: byte streams, and object streams of bytes, in one form.

#include <anyio/abc/byte_stream.hpp>
#include <anyio/abc/object_stream.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <type_traits>

namespace anyio::detail {

/// Bytes come from it. A reference to such a stream will do: then the wrapper does not
/// own it.
template <class S>
concept chunk_source =
    byte_receive_stream<std::remove_reference_t<S>> ||
    unreliable_object_receive_stream<std::remove_reference_t<S>, bytes>;

/// Bytes go to it.
template <class S>
concept chunk_sink = byte_send_stream<std::remove_reference_t<S>> ||
                     unreliable_object_send_stream<std::remove_reference_t<S>, bytes>;

/// The next chunk; an object stream does not ask how much is wanted.
template <class S>
[[nodiscard]] auto next_chunk(S& stream, [[maybe_unused]] std::size_t max_bytes) {
    if constexpr (byte_receive_stream<S>)
        return stream.next(max_bytes);
    else
        return stream.next();
}

template <class S>
[[nodiscard]] auto send_chunk(S& stream, byte_view data) {
    if constexpr (byte_send_stream<S>)
        return stream.send(data);
    else
        return [](S& to, bytes chunk) -> task<> {
            co_await to.send(std::move(chunk));
        }(stream, bytes(data));
}

/// Passes the typed attributes of what is wrapped on.
template <class S>
class wrapped_stream {
public:
    using extra_attributes = merged_attributes<S>;

    template <typed_attribute_key K>
        requires provides_attribute<S, K>
    [[nodiscard]] typename K::value_type attribute(K key) const {
        return stream_.attribute(key);
    }

    [[nodiscard]] bool look_up_attribute(attribute_query& query) const {
        return anyio::look_up_attribute(stream_, query);
    }

    /// What is wrapped. Taking bytes from it behind the wrapper's back confuses that.
    [[nodiscard]] std::remove_reference_t<S>& wrapped() noexcept { return stream_; }

protected:
    explicit wrapped_stream(S stream) : stream_(std::forward<S>(stream)) {}

    S stream_;
};

}  // namespace anyio::detail
