// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// listener: what accepts connections and hands each to a task of its own.
/// Manual: docs/manual/streams.md#stream-concepts

#include <anyio/abc/byte_stream.hpp>
#include <anyio/base/unique_function.hpp>
#include <anyio/tasks/task_group.hpp>

#include <concepts>
#include <utility>

namespace anyio {

namespace detail {

template <class L>
struct stream_of_listener {};

template <class L>
    requires requires { typename L::stream_type; }
struct stream_of_listener<L> {
    using type = typename L::stream_type;
};

template <class L>
    requires(!requires { typename L::stream_type; }) && requires(L& l) {
        { l.accept() } -> awaitable;
    }
struct stream_of_listener<L> {
    using type = yielded_t<decltype(std::declval<L&>().accept())>;
};

template <class S>
struct any_connection_handler {
    task<> operator()(S stream) const;
};

}  // namespace detail

/// What the handlers of a listener are given: its `stream_type`, or what `accept()`
/// yields.
template <class L>
using listener_stream_t = typename detail::stream_of_listener<L>::type;

/// - `serve(handler)`: accepts connections for ever, each in a child task of its own, and
///   waits for all of them;
/// - `serve(handler, group)`: the same with children in that group;
/// - `aclose()`.
///
/// One that has `options_type` takes it as a last argument of both, and wrappers pass it
/// on.
///
/// @anyio  anyio.abc.Listener
template <class L>
concept listener = async_resource<L> &&
                   requires(
                       L& l,
                       task_group& group,
                       detail::any_connection_handler<listener_stream_t<L>> handler
                   ) {
                       { l.serve(handler) } -> detail::awaits<void>;
                       { l.serve(handler, group) } -> detail::awaits<void>;
                   };

namespace detail {

/// Of a listener that takes no options.
struct no_serve_options {};

template <class L>
struct serve_options_of {
    using type = no_serve_options;
};

template <class L>
    requires requires { typename L::options_type; }
struct serve_options_of<L> {
    using type = typename L::options_type;
};

/// What is passed on to a listener that takes options, by a wrapper that has them.
template <class L>
using serve_options_t = typename serve_options_of<L>::type;

template <class L, class Handler>
[[nodiscard]] auto serve_with(
    L& listener, Handler handler, [[maybe_unused]] const serve_options_t<L>& options
) {
    if constexpr (requires { typename L::options_type; })
        return listener.serve(std::move(handler), options);
    else
        return listener.serve(std::move(handler));
}

template <class L, class Handler>
[[nodiscard]] auto serve_with(
    L& listener,
    Handler handler,
    task_group& group,
    [[maybe_unused]] const serve_options_t<L>& options
) {
    if constexpr (requires { typename L::options_type; })
        return listener.serve(std::move(handler), group, options);
    else
        return listener.serve(std::move(handler), group);
}

/// A handler that all connections share, and that lives as long as the last of them.
template <class Stream>
class shared_handler {
public:
    explicit shared_handler(unique_function<task<>(Stream)> handler)
        : handler_(new unique_function<task<>(Stream)>(std::move(handler))) {}

    template <class Accepted>
    task<> operator()(Accepted stream) const {
        return (*handler_)(Stream(std::move(stream)));
    }

private:
    std::shared_ptr<unique_function<task<>(Stream)>> handler_;
};

template <class Stream>
class listener_face {
public:
    virtual ~listener_face() = default;

    virtual task<> serve(shared_handler<Stream> handler, task_group* group) = 0;
    virtual task<> aclose() = 0;
    [[nodiscard]] virtual bool look_up(attribute_query& query) const = 0;
};

template <class Stream, class L>
class listener_model final : public listener_face<Stream> {
public:
    explicit listener_model(L held) : listener_(std::move(held)) {}

    task<> serve(shared_handler<Stream> handler, task_group* group) override {
        if (group)
            co_await listener_.serve(std::move(handler), *group);
        else
            co_await listener_.serve(std::move(handler));
    }

    task<> aclose() override { co_await listener_.aclose(); }

    [[nodiscard]] bool look_up(attribute_query& query) const override {
        return anyio::look_up_attribute(listener_, query);
    }

private:
    L listener_;
};

}  // namespace detail

namespace abc {

/// Holds any listener whose streams convert to `Stream`, by default to any byte stream.
///
/// @threads  loop
/// @anyio    anyio.abc.Listener
template <class Stream = byte_stream>
class listener {
public:
    using stream_type = Stream;
    using extra_attributes = attribute_list<run_time_attributes>;

    template <class L>
        requires(!std::same_as<L, listener>) && anyio::listener<L> &&
                std::constructible_from<Stream, listener_stream_t<L>>
    listener(L held)
        : face_(new anyio::detail::listener_model<Stream, L>(std::move(held))) {}

    /// As the listener inside.
    ///
    /// @param handler  `[](abc::byte_stream client) -> task<> { ... }`
    /// @checkpoint    as the listener inside
    /// @cancellation  as the listener inside
    [[nodiscard]] task<> serve(unique_function<task<>(Stream)> handler) {
        return face().serve(shared(std::move(handler)), nullptr);
    }

    /// The same with handlers in a group of yours.
    ///
    /// @checkpoint    as the listener inside
    /// @cancellation  no more connections; the handlers are the group's
    [[nodiscard]] task<>
    serve(unique_function<task<>(Stream)> handler, task_group& group) {
        return face().serve(shared(std::move(handler)), &group);
    }

    /// Closes the listener inside. The second time it does nothing.
    ///
    /// @checkpoint    as the listener inside
    /// @cancellation  closes: it is closed in any case
    [[nodiscard]] task<> aclose() {
        if (face_)
            co_await face_->aclose();
    }

    [[nodiscard]] bool look_up_attribute(attribute_query& query) const {
        return face_ && face_->look_up(query);
    }

private:
    using shared = anyio::detail::shared_handler<Stream>;

    [[nodiscard]] anyio::detail::listener_face<Stream>& face() const {
        if (!face_)
            anyio::detail::throw_erased_closed("serve");
        return *face_;
    }

    std::unique_ptr<anyio::detail::listener_face<Stream>> face_;
};

}  // namespace abc

}  // namespace anyio
