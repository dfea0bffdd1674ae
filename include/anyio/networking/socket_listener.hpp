// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// socket_listener: what TCP and UNIX listeners have in common.
/// Manual: docs/manual/networking.md#servers

#include <anyio/abc/async_resource.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/basics/sleep.hpp>
#include <anyio/basics/with.hpp>
#include <anyio/networking/detail/accept_operation.hpp>
#include <anyio/networking/detail/connection_call.hpp>
#include <anyio/networking/detail/stream_core.hpp>
#include <anyio/tasks/task_group.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace anyio {

/// How to serve. Trivially destructible: see docs/manual/compilers.md.
struct serve_options {
    static constexpr std::size_t unlimited = SIZE_MAX;

    /// Connections that are served at a time. At the limit no more are accepted, until
    /// one ends; they wait in the backlog of the system.
    std::size_t max_connections = unlimited;
};

namespace detail {

template <class Handler, class Stream>
concept connection_handler =
    std::invocable<std::decay_t<Handler>&, Stream> &&
    is_task<std::invoke_result_t<std::decay_t<Handler>&, Stream>>;

template <class Handler, class Stream>
constexpr void check_connection_handler() {
    static_assert(
        connection_handler<Handler, Stream>,
        "serve(handler): handler must be a coroutine that takes the connection by value: "
        "[](socket_stream client) -> task<> { ... }"
    );
}

/// Null if there is none.
///
/// @throws usage_error  if nobody would be served
[[nodiscard]] std::shared_ptr<connection_limit>
make_limit(serve_options options, const listener_kind& kind);

/// Whether accepting may go well a little later; says so on stderr, once.
[[nodiscard]] bool passes_by_itself(listener_core* core, const os_error& error);

void close_listener(listener_core& core) noexcept;

// As trio does: long enough for somebody to close something.
inline constexpr duration accept_back_off = std::chrono::milliseconds(100);

}  // namespace detail

/// The base of tcp_listener and unix_listener: one or more listening sockets. It is never
/// used alone.
///
/// A resource: it moves, it does not copy. The destructor closes the sockets; a task that
/// waits in accept() gets closed_resource_error.
///
/// @tparam Stream  what it accepts
/// @threads      loop
/// @concurrency  one accept() or serve() at a time, else busy_resource_error
/// @anyio        anyio.abc.SocketListener, anyio.streams.stapled.MultiListener
template <class Stream>
class socket_listener {
public:
    using stream_type = Stream;
    using options_type = serve_options;

    /// Waits for a connection.
    ///
    /// Errors of single connections, such as ECONNABORTED, are passed over, 64 in a row.
    ///
    /// @throws closed_resource_error  if the listener was closed, before or meanwhile
    /// @throws busy_resource_error    if another task is already accepting
    /// @throws os_error               if there are no descriptors left, for instance; the
    ///                                connection waits for the next accept()
    /// @checkpoint    always
    /// @cancellation  atomic
    /// @allocates     what the stream needs of the backend
    /// @anyio         anyio.abc.SocketListener.accept
    [[nodiscard]] detail::accept_operation<Stream> accept() noexcept {
        return {*kind_, core_};
    }

    /// Accepts connections for ever, each in a child task of its own, and waits for all of
    /// them. When a handler has ended, in whatever way, its stream is closed.
    ///
    /// While the system is short of descriptors or memory, or does not permit it (EPERM), it
    /// tries again every 100 ms, and says so once on stderr.
    ///
    /// @param handler  `[](socket_stream client) -> task<> { ... }`. What it throws ends
    ///                 the server, so let it catch what concerns one client
    /// @throws exception_group  of what handlers throw, and of the errors of accept()
    /// @throws usage_error      if `max_connections` is 0
    /// @checkpoint    always
    /// @cancellation  cancels the handlers and waits for them; the listener stays open
    /// @allocates     one block for each connection, which is the handler's frame and its
    ///                task
    /// @anyio         anyio.abc.Listener.serve
    template <class Handler>
    [[nodiscard]] task<> serve(Handler handler, serve_options options = {}) {
        detail::check_connection_handler<Handler, Stream>();
        const auto limit = detail::make_limit(options, *kind_);
        co_await with(create_task_group(), [&](task_group& children) -> task<> {
            for (;;) {
                Stream client = co_await accept_patiently(limit.get());
                start_handler<Handler&>(children, handler, client, limit);
            }
        });
    }

    /// The same with children in a group of yours, which may go on after this has ended.
    ///
    /// @param handler  copied for each connection
    /// @throws        the errors of accept(); handlers fail in their group
    /// @throws usage_error  if `max_connections` is 0
    /// @checkpoint    always
    /// @cancellation  no more connections; the handlers are the group's
    template <class Handler>
    [[nodiscard]] task<>
    serve(Handler handler, task_group& children, serve_options options = {}) {
        detail::check_connection_handler<Handler, Stream>();
        const auto limit = detail::make_limit(options, *kind_);
        for (;;) {
            Stream client = co_await accept_patiently(limit.get());
            start_handler<Handler>(children, handler, client, limit);
        }
    }

    /// Closes the listener, as the destructor does. Streams that it has accepted stay.
    ///
    /// @throws nothing
    /// @checkpoint    always
    /// @cancellation  shielded: it is closed in any case
    /// @allocates     nothing
    /// @anyio         anyio.abc.AsyncResource.aclose
    [[nodiscard]] abc::close_operation aclose() noexcept {
        return {this, [](void* self) noexcept {
                    static_cast<socket_listener*>(self)->close_now();
                }};
    }

    /// Whether it was closed, or moved from.
    [[nodiscard]] bool is_closed() const noexcept { return core_ == nullptr; }

protected:
    socket_listener(
        detail::listener_core& core, const detail::listener_kind& kind
    ) noexcept
        : core_(&core), kind_(&kind) {}

    socket_listener(socket_listener&& other) noexcept
        : core_(std::exchange(other.core_, nullptr)), kind_(other.kind_) {}

    /// Closes what this was.
    socket_listener& operator=(socket_listener&& other) noexcept {
        if (this != &other) {
            close_now();
            core_ = std::exchange(other.core_, nullptr);
        }
        return *this;
    }

    ~socket_listener() { close_now(); }

    /// Null: closed, or moved from.
    [[nodiscard]] detail::listener_core* core() const noexcept { return core_; }

private:
    void close_now() noexcept {
        if (core_)
            detail::close_listener(*std::exchange(core_, nullptr));
    }

    /// @tparam Kept  the handler, as its children keep it
    template <class Kept, class Handler>
    static void start_handler(
        task_group& children,
        Handler& handler,
        Stream& client,
        const std::shared_ptr<detail::connection_limit>& limit
    ) {
        using stream = detail::stream_beside<Handler, Stream>;
        using detail::connection_call;
        using detail::connection_slot;
        using detail::no_slot;
        if (limit)
            children.start_soon(connection_call<Kept, stream, connection_slot>(
                connection_slot(limit), client, handler
            ));
        else
            children.start_soon(
                connection_call<Kept, stream, no_slot>(no_slot(), client, handler)
            );
    }

    [[nodiscard]] task<Stream> accept_patiently(detail::connection_limit* limit) {
        std::optional<Stream> client;
        while (!client) {
            try {
                Stream accepted =
                    co_await detail::accept_operation<Stream>(*kind_, core_, limit);
                client.emplace(std::move(accepted));
            } catch (const os_error& error) {
                if (!detail::passes_by_itself(core_, error))
                    throw;
            }
            if (!client)
                co_await sleep(detail::accept_back_off);
        }
        co_return std::move(*client);
    }

    detail::listener_core* core_;
    const detail::listener_kind* kind_;
};

}  // namespace anyio
