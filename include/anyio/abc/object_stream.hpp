// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// object_receive_stream, object_send_stream, object_stream: objects, in order, none
/// lost. Manual: docs/manual/streams.md#stream-concepts

#include <anyio/abc/unreliable_object_stream.hpp>

#include <concepts>
#include <utility>

namespace anyio {

/// Objects of type T arrive in the order in which they were sent, none is lost. A stream
/// whose guarantees are weaker says so: `using may_lose_items = void;`.
///
/// @anyio  anyio.abc.ObjectReceiveStream
template <class S, class T>
concept object_receive_stream =
    unreliable_object_receive_stream<S, T> && !requires { typename S::may_lose_items; };

/// @anyio  anyio.abc.ObjectSendStream
template <class S, class T>
concept object_send_stream =
    unreliable_object_send_stream<S, T> && !requires { typename S::may_lose_items; };

/// Both, and `send_eof()`: ends the outgoing side; objects still arrive.
///
/// @anyio  anyio.abc.ObjectStream
template <class S, class T>
concept object_stream =
    object_receive_stream<S, T> && object_send_stream<S, T> && requires(S& stream) {
        { stream.send_eof() } -> detail::awaits<void>;
    };

namespace abc {

/// Holds any object_receive_stream of T. See abc::byte_receive_stream for what it costs.
///
/// @threads  loop
/// @anyio    anyio.abc.ObjectReceiveStream
template <class T>
class object_receive_stream : public detail::erased_object_stream<T> {
    using base = detail::erased_object_stream<T>;

public:
    template <class S>
        requires(!std::same_as<S, object_receive_stream>) &&
                anyio::object_receive_stream<S, T>
    object_receive_stream(S stream) : base(std::move(stream)) {}

    using base::next;
    using base::receive;
};

/// @threads  loop
/// @anyio    anyio.abc.ObjectSendStream
template <class T>
class object_send_stream : public detail::erased_object_stream<T> {
    using base = detail::erased_object_stream<T>;

public:
    template <class S>
        requires(!std::same_as<S, object_send_stream>) &&
                anyio::object_send_stream<S, T>
    object_send_stream(S stream) : base(std::move(stream)) {}

    using base::send;
};

/// @threads  loop
/// @anyio    anyio.abc.ObjectStream
template <class T>
class object_stream : public detail::erased_object_stream<T> {
    using base = detail::erased_object_stream<T>;

public:
    template <class S>
        requires(!std::same_as<S, object_stream>) && anyio::object_stream<S, T>
    object_stream(S stream) : base(std::move(stream)) {}

    using base::next;
    using base::receive;
    using base::send;
    using base::send_eof;
};

}  // namespace abc

}  // namespace anyio
