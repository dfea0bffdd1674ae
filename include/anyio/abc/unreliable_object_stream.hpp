// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// unreliable_object_receive_stream, _send_stream, _stream: objects that may be lost or
/// come in another order, such as datagrams. Manual: docs/manual/streams.md#stream-concepts

#include <anyio/abc/async_resource.hpp>
#include <anyio/abc/detail/awaits.hpp>
#include <anyio/base/light_std.hpp>
#include <anyio/typedattrs/provider.hpp>

#include <concepts>
#include <optional>
#include <utility>

namespace anyio {

/// Objects of type T arrive: `receive()`, or `next()`, empty at the end, for loops; and
/// `aclose()`.
///
/// @anyio  anyio.abc.UnreliableObjectReceiveStream
template <class S, class T>
concept unreliable_object_receive_stream = async_resource<S> && requires(S& stream) {
    { stream.receive() } -> detail::awaits<T>;
    { stream.next() } -> detail::awaits<std::optional<T>>;
};

/// Objects of type T go out: `send(item)`, and `aclose()`.
///
/// @anyio  anyio.abc.UnreliableObjectSendStream
template <class S, class T>
concept unreliable_object_send_stream =
    async_resource<S> && requires(S& stream, T item) {
        { stream.send(std::move(item)) } -> detail::awaits<void>;
    };

/// @anyio  anyio.abc.UnreliableObjectStream
template <class S, class T>
concept unreliable_object_stream =
    unreliable_object_receive_stream<S, T> && unreliable_object_send_stream<S, T>;

namespace detail {

template <class T>
class object_stream_face {
public:
    virtual ~object_stream_face() = default;

    virtual task<std::optional<T>> next() = 0;
    virtual task<> send(T item) = 0;
    virtual task<> send_eof() = 0;
    virtual task<> aclose() = 0;
    [[nodiscard]] virtual bool look_up(attribute_query& query) const = 0;
};

/// The erased forms only offer what the stream inside can do.
template <class T, class S>
class object_stream_model final : public object_stream_face<T> {
public:
    explicit object_stream_model(S stream) : stream_(std::move(stream)) {}

    task<std::optional<T>> next() override {
        std::optional<T> item;
        if constexpr (unreliable_object_receive_stream<S, T>)
            item = co_await stream_.next();
        co_return item;
    }

    task<> send([[maybe_unused]] T item) override {
        if constexpr (unreliable_object_send_stream<S, T>)
            co_await stream_.send(std::move(item));
        co_return;
    }

    task<> send_eof() override {
        if constexpr (requires { stream_.send_eof(); })
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
template <class T>
class erased_object_stream {
public:
    using extra_attributes = attribute_list<run_time_attributes>;
    using item_type = T;

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
    explicit erased_object_stream(S stream)
        : face_(new object_stream_model<T, S>(std::move(stream))) {}

    [[nodiscard]] task<T> receive() {
        auto item = co_await face("receive").next();
        if (!item)
            throw_end_of("receive");
        co_return std::move(*item);
    }

    [[nodiscard]] task<std::optional<T>> next() { return face("receive").next(); }

    /// @cancellation  the item is lost, unless the stream has taken it
    [[nodiscard]] task<> send(T item) { return face("send").send(std::move(item)); }

    [[nodiscard]] task<> send_eof() { return face("send_eof").send_eof(); }

private:
    [[nodiscard]] object_stream_face<T>& face(const char* operation) const {
        if (!face_)
            throw_erased_closed(operation);
        return *face_;
    }

    std::unique_ptr<object_stream_face<T>> face_;
};

}  // namespace detail

namespace abc {

/// Holds any unreliable_object_receive_stream of T: for interfaces that must not be
/// templates. See abc::byte_receive_stream for what it costs.
///
/// @threads  loop
/// @anyio    anyio.abc.UnreliableObjectReceiveStream
template <class T>
class unreliable_object_receive_stream : public detail::erased_object_stream<T> {
    using base = detail::erased_object_stream<T>;

public:
    template <class S>
        requires(!std::derived_from<S, unreliable_object_receive_stream>) &&
                anyio::unreliable_object_receive_stream<S, T>
    unreliable_object_receive_stream(S stream) : base(std::move(stream)) {}

    using base::next;
    using base::receive;
};

/// @threads  loop
/// @anyio    anyio.abc.UnreliableObjectSendStream
template <class T>
class unreliable_object_send_stream : public detail::erased_object_stream<T> {
    using base = detail::erased_object_stream<T>;

public:
    template <class S>
        requires(!std::derived_from<S, unreliable_object_send_stream>) &&
                anyio::unreliable_object_send_stream<S, T>
    unreliable_object_send_stream(S stream) : base(std::move(stream)) {}

    using base::send;
};

/// @threads  loop
/// @anyio    anyio.abc.UnreliableObjectStream
template <class T>
class unreliable_object_stream : public detail::erased_object_stream<T> {
    using base = detail::erased_object_stream<T>;

public:
    template <class S>
        requires(!std::derived_from<S, unreliable_object_stream>) &&
                anyio::unreliable_object_stream<S, T>
    unreliable_object_stream(S stream) : base(std::move(stream)) {}

    using base::next;
    using base::receive;
    using base::send;
};

}  // namespace abc

}  // namespace anyio
