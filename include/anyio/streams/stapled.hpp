// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// stapled_byte_stream, stapled_object_stream: one stream made of two; multi_listener: one
/// listener made of many. Manual: docs/manual/streams.md#stapled-streams

#include <anyio/abc/byte_stream.hpp>
#include <anyio/abc/listener.hpp>
#include <anyio/abc/object_stream.hpp>
#include <anyio/basics/closings.hpp>
#include <anyio/basics/with.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace anyio {

namespace detail {

/// What both kinds of stapled streams have.
template <class Send, class Receive>
class stapled {
public:
    using extra_attributes = merged_attributes<Receive, Send>;

    /// The receiving side is asked first.
    template <typed_attribute_key K>
        requires provides_attribute<Receive, K> || provides_attribute<Send, K>
    [[nodiscard]] typename K::value_type attribute(K key) const {
        if constexpr (provides_attribute<Receive, K>)
            return receive_.attribute(key);
        else
            return send_.attribute(key);
    }

    [[nodiscard]] bool look_up_attribute(attribute_query& query) const {
        return anyio::look_up_attribute(receive_, query) ||
               anyio::look_up_attribute(send_, query);
    }

    [[nodiscard]] Send& send_stream() noexcept { return send_; }

    [[nodiscard]] Receive& receive_stream() noexcept { return receive_; }

    /// Ends the sending side: as its send_eof(), or, if it has none, its aclose().
    [[nodiscard]] auto send_eof() {
        if constexpr (requires { send_.send_eof(); })
            return send_.send_eof();
        else
            return send_.aclose();
    }

    /// Closes both sides, the sending one first, the other one whatever comes of that.
    ///
    /// @throws  the error of one side; an exception_group of both
    /// @checkpoint    as the sides
    /// @cancellation  closes: both are closed in any case
    [[nodiscard]] task<> aclose() {
        closings ended;
        auto close_one = [this] { return send_.aclose(); };
        const outcome<void> one = co_await as_outcome(closing_by(close_one));
        ended.add(one);
        auto close_other = [this] { return receive_.aclose(); };
        const outcome<void> other = co_await as_outcome(closing_by(close_other));
        ended.add(other);
        co_await ended.result().unwrap();
    }

protected:
    stapled(Send send, Receive receive)
        : send_(std::move(send)), receive_(std::move(receive)) {}

    Send send_;
    Receive receive_;
};

}  // namespace detail

/// A byte stream whose directions are two streams, such as the pipes of a process.
///
/// @threads      loop
/// @concurrency  as the two streams
/// @anyio        anyio.streams.stapled.StapledByteStream
template <byte_send_stream Send, byte_receive_stream Receive>
class stapled_byte_stream : public detail::stapled<Send, Receive> {
public:
    stapled_byte_stream(Send send, Receive receive)
        : detail::stapled<Send, Receive>(std::move(send), std::move(receive)) {}

    /// As the receiving side.
    [[nodiscard]] auto receive(std::size_t max_bytes = 65536) {
        return this->receive_.receive(max_bytes);
    }

    [[nodiscard]] auto next(std::size_t max_bytes = 65536) {
        return this->receive_.next(max_bytes);
    }

    [[nodiscard]] auto receive_some(byte_span buffer) {
        return this->receive_.receive_some(buffer);
    }

    /// As the sending side.
    [[nodiscard]] auto send(byte_view data) { return this->send_.send(data); }
};

namespace detail {

/// What an object stream takes: as it says, or what the other one yields.
template <class Send, class Receive>
struct stapled_item {
    using type = yielded_t<decltype(std::declval<Receive&>().receive())>;
};

template <class Send, class Receive>
    requires requires { typename Send::item_type; }
struct stapled_item<Send, Receive> {
    using type = typename Send::item_type;
};

}  // namespace detail

/// An object stream whose directions are two streams, such as the ends of two memory
/// object streams.
///
/// @threads      loop
/// @concurrency  as the two streams
/// @anyio        anyio.streams.stapled.StapledObjectStream
template <class Send, class Receive>
class stapled_object_stream : public detail::stapled<Send, Receive> {
public:
    using item_type = typename detail::stapled_item<Send, Receive>::type;

    stapled_object_stream(Send send, Receive receive)
        : detail::stapled<Send, Receive>(std::move(send), std::move(receive)) {}

    /// As the receiving side.
    [[nodiscard]] auto receive() { return this->receive_.receive(); }

    [[nodiscard]] auto next() { return this->receive_.next(); }

    /// As the sending side. Not a template: an operation may refer to the item, which must
    /// therefore be made where it is awaited.
    [[nodiscard]] auto send(item_type&& item) {
        return this->send_.send(std::move(item));
    }

    [[nodiscard]] auto send(const item_type& item)
        requires std::copy_constructible<item_type>
    {
        return this->send_.send(item);
    }

    /// As the sending side, if that has such a function.
    void send_nowait(item_type&& item)
        requires requires(Send& to) { to.send_nowait(std::move(item)); }
    {
        this->send_.send_nowait(std::move(item));
    }

    void send_nowait(const item_type& item)
        requires requires(Send& to) { to.send_nowait(item); }
    {
        this->send_.send_nowait(item);
    }
};

namespace detail {

/// A handler that outlives its connections.
template <class Handler>
struct handler_view {
    template <class Stream>
    auto operator()(Stream client) const {
        return (*handler)(std::move(client));
    }

    Handler* handler;
};

}  // namespace detail

/// Several listeners that are served as one. For different kinds of them,
/// `multi_listener<abc::listener<>>`.
///
/// @threads  loop
/// @anyio    anyio.streams.stapled.MultiListener
template <listener L>
class multi_listener {
public:
    using stream_type = listener_stream_t<L>;
    using options_type = detail::serve_options_t<L>;
    using extra_attributes = attributes_of<L>;

    explicit multi_listener(std::vector<L> listeners)
        : listeners_(std::move(listeners)) {}

    /// Takes over the members of others.
    explicit multi_listener(std::vector<multi_listener> others) {
        for (multi_listener& other : others)
            for (L& member : other.listeners_)
                listeners_.push_back(std::move(member));
    }

    [[nodiscard]] std::vector<L>& listeners() noexcept { return listeners_; }

    /// The last listener that has it answers.
    ///
    /// @throws std::out_of_range  if there are no listeners
    template <typed_attribute_key K>
        requires provides_attribute<L, K>
    [[nodiscard]] typename K::value_type attribute(K key) const {
        return listeners_.at(listeners_.size() - 1).attribute(key);
    }

    [[nodiscard]] bool look_up_attribute(attribute_query& query) const {
        for (std::size_t i = listeners_.size(); i != 0; --i)
            if (anyio::look_up_attribute(listeners_[i - 1], query))
                return true;
        return false;
    }

    /// Serves all of them, with all handlers in one group of its own.
    ///
    /// @param options  for each of them, if they take any: serve_options, for instance
    /// @throws exception_group  of what handlers throw, and of the errors of listeners
    /// @checkpoint    always
    /// @cancellation  cancels the handlers and waits for them; the listeners stay open
    template <class Handler>
    [[nodiscard]] task<> serve(Handler handler, options_type options = {}) {
        co_await with(create_task_group(), [&](task_group& all) {
            for (L& member : listeners_)
                all.start_soon(
                    &serve_one<detail::handler_view<Handler>>,
                    std::ref(member),
                    detail::handler_view<Handler>{&handler},
                    std::ref(all),
                    options
                );
        });
    }

    /// The same with handlers in a group of yours.
    ///
    /// @param handler  copied
    /// @throws exception_group  of the errors of listeners
    /// @checkpoint    always
    /// @cancellation  no more connections; the handlers are the group's
    template <class Handler>
    [[nodiscard]] task<>
    serve(Handler handler, task_group& group, options_type options = {}) {
        co_await with(create_task_group(), [&](task_group& loops) {
            for (L& member : listeners_)
                loops.start_soon(
                    &serve_one<Handler>,
                    std::ref(member),
                    handler,
                    std::ref(group),
                    options
                );
        });
    }

    /// Closes all of them, whatever comes of each.
    ///
    /// @throws  the error of one; an exception_group of several
    /// @checkpoint    as the listeners
    /// @cancellation  closes: all are closed in any case
    [[nodiscard]] task<> aclose() {
        detail::closings ended;
        for (L& member : listeners_) {
            auto close = [&member] { return member.aclose(); };
            const outcome<void> one = co_await as_outcome(detail::closing_by(close));
            ended.add(one);
        }
        co_await ended.result().unwrap();
    }

private:
    template <class Handler>
    static task<>
    serve_one(L& member, Handler handler, task_group& group, options_type options) {
        co_await detail::serve_with(member, std::move(handler), group, options);
    }

    std::vector<L> listeners_;
};

namespace streams {
using anyio::multi_listener;
using anyio::stapled_byte_stream;
using anyio::stapled_object_stream;
}  // namespace streams

}  // namespace anyio
