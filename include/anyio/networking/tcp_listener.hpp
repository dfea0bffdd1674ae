// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// tcp_listener, create_tcp_listener: accept TCP connections.
/// Manual: docs/manual/networking.md#servers

#include <anyio/basics/with.hpp>
#include <anyio/networking/getaddrinfo.hpp>
#include <anyio/networking/socket_stream.hpp>
#include <anyio/tasks/task_group.hpp>

#include <concepts>
#include <cstdint>
#include <exception>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace anyio {

namespace detail {

class listener_core;

/// Waits for the first connection on any of a listener's sockets.
class [[nodiscard]] accept_operation final
    : public lowlevel::operation<accept_operation> {
public:
    explicit accept_operation(listener_core* listener) noexcept;
    ~accept_operation();

    [[nodiscard]] bool try_complete();

    void start() const noexcept {}

    /// @throws what went wrong
    [[nodiscard]] socket_stream await_resume();

private:
    friend listener_core;

    static const lowlevel::wait_kind kind_;
    static lowlevel::abort_result abort(lowlevel::wait_record& record) noexcept;
    static void describe(const lowlevel::wait_record& record, std::string& out);

    listener_core* listener_;  // null: closed
    int fd_ = -1;              // accepted, and not yet handed on
    ip_endpoint remote_;
    std::exception_ptr error_;
};

template <class Handler>
concept connection_handler =
    std::invocable<std::decay_t<Handler>&, socket_stream> &&
    is_task<std::invoke_result_t<std::decay_t<Handler>&, socket_stream>>;

template <class Handler>
constexpr void check_connection_handler() {
    static_assert(
        connection_handler<Handler>,
        "serve(handler): handler must be a coroutine that takes the connection by value: "
        "[](socket_stream client) -> task<> { ... }"
    );
}

/// A handler that outlives its connections. Not std::ref: <functional> costs 100 ms.
template <class Handler>
struct handler_reference {
    auto operator()(socket_stream client) const { return handler(std::move(client)); }

    Handler& handler;
};

}  // namespace detail

/// One or more listening sockets that accept TCP connections: what create_tcp_listener()
/// yields.
///
/// A resource: it moves, it does not copy. The destructor closes the sockets; a task that
/// waits in accept() gets closed_resource_error.
///
/// @threads      loop
/// @concurrency  one accept() or serve() at a time, else busy_resource_error
/// @anyio        anyio.abc.SocketListener, anyio.streams.stapled.MultiListener
class tcp_listener {
public:
    tcp_listener(tcp_listener&& other) noexcept
        : core_(std::exchange(other.core_, nullptr)) {}

    /// Closes what this was.
    tcp_listener& operator=(tcp_listener&& other) noexcept {
        if (this != &other) {
            close_now();
            core_ = std::exchange(other.core_, nullptr);
        }
        return *this;
    }

    ~tcp_listener() { close_now(); }

    /// Waits for a connection.
    ///
    /// Errors of single connections, such as ECONNABORTED, are passed over.
    ///
    /// @throws closed_resource_error  if the listener was closed, before or meanwhile
    /// @throws busy_resource_error    if another task is already accepting
    /// @throws os_error               if there are no descriptors left, for instance; the
    ///                                connection waits for the next accept()
    /// @checkpoint    always
    /// @cancellation  atomic
    /// @allocates     what the stream needs of the backend
    /// @anyio         anyio.abc.SocketListener.accept
    [[nodiscard]] detail::accept_operation accept() noexcept {
        return detail::accept_operation(core_);
    }

    /// Accepts connections for ever, each in a child task of its own, and waits for all of
    /// them. When a handler has ended, its stream is closed.
    ///
    /// While the system is short of descriptors or memory it tries again every 100 ms, and
    /// says so once on stderr.
    ///
    /// @param handler  `[](socket_stream client) -> task<> { ... }`. What it throws ends
    ///                 the server, so let it catch what concerns one client
    /// @throws exception_group  of what handlers throw, and of the errors of accept()
    /// @checkpoint    always
    /// @cancellation  cancels the handlers and waits for them; the listener stays open
    /// @allocates     one block for each connection
    /// @anyio         anyio.abc.Listener.serve
    template <class Handler>
    [[nodiscard]] task<> serve(Handler handler) {
        detail::check_connection_handler<Handler>();
        co_await with(create_task_group(), [&](task_group& children) -> task<> {
            for (;;) {
                socket_stream client = co_await accept_patiently();
                children.start_soon(
                    detail::handler_reference{handler}, std::move(client)
                );
            }
        });
    }

    /// The same with children in a group of yours, which may go on after this has ended.
    ///
    /// @param handler  copied for each connection
    /// @throws        the errors of accept(); handlers fail in their group
    /// @cancellation  no more connections; the handlers are the group's
    template <class Handler>
    [[nodiscard]] task<> serve(Handler handler, task_group& children) {
        detail::check_connection_handler<Handler>();
        for (;;) {
            socket_stream client = co_await accept_patiently();
            children.start_soon(handler, std::move(client));
        }
    }

    /// Closes the listener, as the destructor does. Streams that it has accepted stay.
    ///
    /// @throws nothing
    /// @checkpoint    always
    /// @cancellation  shielded: it is closed in any case
    /// @allocates     nothing
    /// @anyio         anyio.abc.AsyncResource.aclose
    [[nodiscard]] detail::close_operation aclose() noexcept {
        return {this, [](void* self) noexcept {
                    static_cast<tcp_listener*>(self)->close_now();
                }};
    }

    /// Whether it was closed, or moved from.
    [[nodiscard]] bool is_closed() const noexcept { return core_ == nullptr; }

    /// The port, the same for all sockets.
    ///
    /// @throws closed_resource_error  if the listener was closed
    [[nodiscard]] std::uint16_t local_port() const;

    /// Where it listens: one address for each socket. One socket at `[::]` serves both
    /// families.
    ///
    /// @throws closed_resource_error  if the listener was closed
    [[nodiscard]] std::vector<ip_endpoint> local_addresses() const;

    /// For those who make listeners: takes over what create_tcp_listener() has made.
    explicit tcp_listener(detail::listener_core& core) noexcept : core_(&core) {}

private:
    void close_now() noexcept;
    [[nodiscard]] task<socket_stream> accept_patiently();

    detail::listener_core* core_;
};

/// Where to listen. Trivially destructible: see docs/manual/compilers.md.
struct create_tcp_listener_options {
    /// A name, or an address; a name may mean several sockets. Empty: all addresses of
    /// this machine, of both families.
    std::string_view local_host = {};
    /// 0: the system chooses one, the same for all sockets.
    std::uint16_t local_port = 0;
    /// Which of the host's addresses.
    address_family family = address_family::any;
    /// Connections that may wait to be accepted; the system has a limit of its own.
    int backlog = 65536;
    /// SO_REUSEPORT: other sockets may listen on the port as well, and the system shares
    /// the connections out.
    bool reuse_port = false;
};

/// Opens sockets that listen for TCP connections.
///
/// @throws os_error     if the name is not known, the address is not of this machine, the
///                      port is taken or privileged
/// @throws usage_error  if `backlog` is negative, or `local_host` cannot be a host name
/// @checkpoint    always
/// @cancellation  atomic
/// @threads       loop
/// @allocates     the listener
/// @anyio         anyio.create_tcp_listener
[[nodiscard]] task<tcp_listener>
create_tcp_listener(create_tcp_listener_options options = {});

}  // namespace anyio
