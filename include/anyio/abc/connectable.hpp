// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// byte_stream_connectable, object_stream_connectable: something that can be connected to,
/// any number of times; layers are put on top of each other with it.
/// Manual: docs/manual/streams.md#connectables

#include <anyio/abc/byte_stream.hpp>
#include <anyio/abc/object_stream.hpp>

#include <concepts>
#include <utility>

namespace anyio {

/// `connect()` yields a new byte stream each time.
///
/// @throws connection_failed  from connect(), if none can be made
/// @anyio  anyio.abc.ByteStreamConnectable
template <class C>
concept byte_stream_connectable = requires(const C& target) {
    { target.connect() } -> detail::awaitable;
    requires byte_stream<detail::yielded_t<decltype(target.connect())>>;
};

/// `connect()` yields a new stream of `T` each time.
///
/// @throws connection_failed  from connect(), if none can be made
/// @anyio  anyio.abc.ObjectStreamConnectable
template <class C, class T>
concept object_stream_connectable = requires(const C& target) {
    { target.connect() } -> detail::awaitable;
    requires object_stream<detail::yielded_t<decltype(target.connect())>, T>;
};

namespace detail {

template <class Stream>
class connectable_face {
public:
    virtual ~connectable_face() = default;
    [[nodiscard]] virtual task<Stream> connect() const = 0;
};

template <class Stream, class C>
class connectable_model final : public connectable_face<Stream> {
public:
    explicit connectable_model(C target) : target_(std::move(target)) {}

    [[nodiscard]] task<Stream> connect() const override {
        auto stream = co_await target_.connect();
        co_return Stream(std::move(stream));
    }

private:
    C target_;
};

/// Holds anything that connects to what converts to a Stream.
template <class Stream>
class erased_connectable {
public:
    /// @throws connection_failed  if no connection can be made
    /// @checkpoint    as the target inside
    /// @cancellation  as the target inside
    [[nodiscard]] task<Stream> connect() const {
        if (!face_)
            throw_erased_closed("connect");
        return face_->connect();
    }

protected:
    template <class C>
    explicit erased_connectable(C target)
        : face_(new connectable_model<Stream, C>(std::move(target))) {}

private:
    std::unique_ptr<connectable_face<Stream>> face_;
};

}  // namespace detail

namespace abc {

/// Holds any byte_stream_connectable.
///
/// @threads  loop
/// @anyio    anyio.abc.ByteStreamConnectable
class byte_stream_connectable : public anyio::detail::erased_connectable<byte_stream> {
public:
    template <class C>
        requires(!std::same_as<C, byte_stream_connectable>) &&
                anyio::byte_stream_connectable<C>
    byte_stream_connectable(C target) : erased_connectable(std::move(target)) {}
};

/// Holds any object_stream_connectable of T.
///
/// @threads  loop
/// @anyio    anyio.abc.ObjectStreamConnectable
template <class T>
class object_stream_connectable
    : public anyio::detail::erased_connectable<object_stream<T>> {
public:
    template <class C>
        requires(!std::same_as<C, object_stream_connectable>) &&
                anyio::object_stream_connectable<C, T>
    object_stream_connectable(C target)
        : anyio::detail::erased_connectable<object_stream<T>>(std::move(target)) {}
};

}  // namespace abc

}  // namespace anyio
