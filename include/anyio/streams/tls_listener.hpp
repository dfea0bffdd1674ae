// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// tls_listener, tls_connectable: TLS on top of any listener, and of anything that can be
/// connected to. Target anyio::tls. Manual: docs/manual/tls.md#servers

#include <anyio/abc/connectable.hpp>
#include <anyio/abc/listener.hpp>
#include <anyio/base/unique_function.hpp>
#include <anyio/cancellation/fail_after.hpp>
#include <anyio/streams/tls.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <list>
#include <string>
#include <string_view>
#include <utility>

namespace anyio {

/// How a listener shakes hands. Trivially destructible: see docs/manual/compilers.md.
struct tls_listener_options {
    /// As tls_options::standard_compatible.
    bool standard_compatible = true;
    /// Whoever has not shaken hands by then is dropped.
    delay handshake_timeout = std::chrono::seconds(10);
    /// Handshakes at one time. When there are so many and another client comes, the oldest
    /// one gives way: those who never finish theirs must not keep everybody else waiting.
    std::size_t max_handshakes = 1000;
};

/// What becomes of connections whose handshake has failed. It is given the error, a
/// timeout_error among others, and the stream below, still open and who knows whom it is
/// connected to; the stream is closed when it returns. What it throws ends the server.
template <class Transport>
using tls_handshake_error_function =
    unique_function<void(const std::exception_ptr& error, Transport& below)>;

namespace detail {

/// Who is at the other end of a stream, if it says so: `192.0.2.1:50000`.
template <class Stream>
[[nodiscard]] std::string describe_peer(Stream& stream) {
    if constexpr (requires { to_string(stream.remote_address()); })
        return to_string(stream.remote_address());
    else if constexpr (requires { stream.wrapped(); })
        return describe_peer(stream.wrapped());
    else
        return {};
}

/// One line on stderr.
///
/// @param peer  may be empty
void report_handshake_error(
    const std::exception_ptr& error, std::string_view peer
) noexcept;

class tls_handshake_turn;

/// The handshakes under way, the oldest first, and how many there may be.
class tls_handshake_queue {
public:
    /// @throws usage_error  if the options let nobody in
    explicit tls_handshake_queue(const tls_listener_options& options);

    [[noreturn]] void throw_gave_way(const std::string& subject) const;

private:
    friend tls_handshake_turn;

    std::list<tls_handshake_turn*> turns_;
    std::size_t most_;
};

/// A handshake under way.
class tls_handshake_turn {
public:
    /// The oldest one gives way if there are too many.
    tls_handshake_turn(tls_handshake_queue& queue, cancel_scope& scope);
    tls_handshake_turn(const tls_handshake_turn&) = delete;
    tls_handshake_turn& operator=(const tls_handshake_turn&) = delete;

    ~tls_handshake_turn() { leave(); }

private:
    void leave() noexcept;

    tls_handshake_queue& queue_;
    cancel_scope& scope_;
    std::list<tls_handshake_turn*>::iterator at_;  // end(): has left
};

/// What the connections of a listener share, and what may outlive it.
template <class Transport>
struct tls_welcome {
    tls_welcome(tls_context made_with, const tls_listener_options& chosen)
        : context(std::move(made_with)), options(chosen), queue(chosen) {}

    tls_context context;
    tls_listener_options options;
    tls_handshake_queue queue;
    tls_handshake_error_function<Transport> on_error =
        [](const std::exception_ptr& error, Transport& below) {
            report_handshake_error(error, describe_peer(below));
        };
};

template <class Transport>
task<> tls_shake_hands_in_time(
    std::shared_ptr<tls_welcome<Transport>> welcome, tls_share<Transport> s
) {
    auto shake_hands = [&](cancel_scope& scope) -> task<> {
        const tls_handshake_turn turn(welcome->queue, scope);
        co_await tls_handshake(s);
    };
    const bool finished =
        co_await with(fail_after(welcome->options.handshake_timeout), shake_hands);
    if (!finished)
        welcome->queue.throw_gave_way(s->engine.subject());
}

/// What serves one connection: shakes hands in its own task, then calls the handler.
template <class Handler, class Transport>
struct tls_connection_handler {
    task<> operator()(Transport below) const {
        return serve_one(welcome, handler, std::move(below));
    }

    static task<> serve_one(
        std::shared_ptr<tls_welcome<Transport>> welcome,
        Handler handler,
        Transport below
    ) {
        const tls_setup setup{{}, &welcome->context, nullptr, true};
        auto s = std::make_shared<tls_state<Transport>>(
            setup, welcome->options.standard_compatible, std::move(below)
        );
        auto ended = co_await as_outcome(tls_shake_hands_in_time(welcome, s));
        if (ended.is_cancelled())
            co_await std::move(ended).unwrap();
        if (ended.has_error()) {
            welcome->on_error(ended.error(), s->below("handshake"));
            co_return;
        }
        co_await handler(tls_stream<Transport>(std::move(s)));
    }

    std::shared_ptr<tls_welcome<Transport>> welcome;
    mutable Handler handler;
};

/// A handler that outlives its connections.
template <class Handler>
struct tls_handler_view {
    template <class Stream>
    auto operator()(Stream client) const {
        return (*handler)(std::move(client));
    }

    Handler* handler;
};

}  // namespace detail

/// Accepts what a listener accepts, and makes TLS streams of it. Each connection shakes
/// hands in its own task, so that a slow one keeps nobody else waiting.
///
/// A handshake that fails, or takes too long, closes its connection and is reported in
/// one line on stderr; on_handshake_error() replaces that. The server goes on.
///
/// @threads      loop
/// @concurrency  as the listener below
/// @anyio        anyio.streams.tls.TLSListener
template <listener L>
class tls_listener {
    using transport = listener_stream_t<L>;
    using welcome = detail::tls_welcome<transport>;

    static_assert(
        byte_stream<transport>, "tls_listener: the listener must accept byte streams"
    );

public:
    using stream_type = tls_stream<transport>;
    using options_type = detail::serve_options_t<L>;
    using extra_attributes = attributes_of<L>;

    /// @param context  one of a server, with a certificate
    /// @throws usage_error  if the options let nobody in: no handshakes, or no time
    explicit tls_listener(
        L below, tls_context context, tls_listener_options options = {}
    )
        : below_(std::move(below)),
          welcome_(std::make_shared<welcome>(std::move(context), options)) {}

    /// What becomes of connections whose handshake has failed, instead of a line on
    /// stderr. Cancellations are no failures.
    void on_handshake_error(tls_handshake_error_function<transport> function) {
        welcome_->on_error = std::move(function);
    }

    /// Accepts connections for ever, each in a child task of its own, and waits for all of
    /// them.
    ///
    /// @param handler  `[](tls_stream<socket_stream> client) -> task<> { ... }`. What it
    ///                 throws ends the server, so let it catch what concerns one client
    /// @param options  of the listener below, if it takes any: serve_options
    /// @throws usage_error      if the context is not one of a server with a certificate
    /// @throws exception_group  of what handlers throw, and of the listener's errors
    /// @checkpoint    always
    /// @cancellation  cancels the handlers and waits for them; the listener stays open
    /// @anyio         anyio.streams.tls.TLSListener.serve
    template <class Handler>
    [[nodiscard]] task<> serve(Handler handler, options_type options = {}) {
        check();
        // Not in the awaited expression: docs/manual/compilers.md.
        detail::tls_connection_handler<detail::tls_handler_view<Handler>, transport>
            each{welcome_, {&handler}};
        co_await detail::serve_with(below_, std::move(each), options);
    }

    /// The same with children in a group of yours.
    ///
    /// @param handler  copied for each connection
    /// @throws        the listener's errors; handlers fail in their group
    /// @checkpoint    always
    /// @cancellation  no more connections; the handlers are the group's
    template <class Handler>
    [[nodiscard]] task<>
    serve(Handler handler, task_group& children, options_type options = {}) {
        check();
        detail::tls_connection_handler<Handler, transport> each{
            welcome_, std::move(handler)
        };
        co_await detail::serve_with(below_, std::move(each), children, options);
    }

    /// Closes the listener below. Streams that it has accepted stay.
    [[nodiscard]] auto aclose() { return below_.aclose(); }

    /// The listener below: where it listens, for instance.
    [[nodiscard]] L& wrapped() noexcept { return below_; }

    template <typed_attribute_key K>
        requires provides_attribute<L, K>
    [[nodiscard]] typename K::value_type attribute(K key) const {
        return below_.attribute(key);
    }

    [[nodiscard]] bool look_up_attribute(attribute_query& query) const {
        return anyio::look_up_attribute(below_, query);
    }

private:
    /// Once, rather than at each connection.
    void check() const {
        static_cast<void>(
            detail::tls_engine(detail::tls_setup{{}, &welcome_->context, nullptr, true})
        );
    }

    L below_;
    std::shared_ptr<welcome> welcome_;
};

/// Connects to `target`, and puts TLS on top.
///
/// @threads  loop
/// @anyio    anyio.streams.tls.TLSConnectable
template <byte_stream_connectable C>
class tls_connectable {
    using transport = detail::yielded_t<decltype(std::declval<const C&>().connect())>;

public:
    /// @param hostname  what the server's certificate has to be for
    tls_connectable(
        C target, std::string_view hostname, bool standard_compatible = true
    )
        : tls_connectable(
              std::move(target), hostname, tls_context::client(), standard_compatible
          ) {}

    tls_connectable(
        C target,
        std::string_view hostname,
        tls_context context,
        bool standard_compatible = true
    )
        : target_(std::move(target)), hostname_(hostname), context_(std::move(context)),
          standard_compatible_(standard_compatible) {}

    /// @throws  what the target throws, and what wrap_tls() does; then all is closed
    /// @checkpoint    always
    /// @cancellation  atomic: nothing stays open
    [[nodiscard]] task<tls_stream<transport>> connect() const {
        transport below = co_await target_.connect();
        const tls_options options{
            .hostname = hostname_,
            .context = &context_,
            .side = tls_side::client,
            .standard_compatible = standard_compatible_
        };
        co_return co_await wrap_tls(std::move(below), options);
    }

private:
    C target_;
    std::string hostname_;
    tls_context context_;
    bool standard_compatible_;
};

namespace streams {
using anyio::tls_connectable;
using anyio::tls_listener;
}  // namespace streams

}  // namespace anyio
