// SPDX-License-Identifier: MIT
#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/networking/tcp_listener.hpp>
#include "begin_step.hpp"
#include "posix_socket.hpp"

#include <algorithm>
#include <cerrno>

namespace anyio {

namespace {

/// create_tcp_listener_options, owning its text.
struct listener_request {
    std::string host;
    std::uint16_t port;
    address_family family;
    int backlog;
    bool reuse_port;
};

struct bind_failure {
    int error = 0;
    ip_endpoint to;
};

/// Opens one socket at each address, in order; the first one that gets a port from the
/// system decides it for all.
bind_failure bind_all(
    const listener_request& request,
    const std::vector<ip_endpoint>& addresses,
    bool dual_stack,
    std::vector<unique_fd>& made
) {
    std::uint16_t port = request.port;
    for (const ip_endpoint& address : addresses) {
        const ip_endpoint to(address.address(), port);
        unique_fd fd = posix_socket::open_tcp(to.is_v6());
        const posix_socket::bind_options options{
            .reuse_address = true,
            .reuse_port = request.reuse_port,
            .v6_only = !dual_stack,
        };
        if (const int error = posix_socket::bind(fd.get(), to, options))
            return {error, to};
        // Two sockets may be bound to one port with SO_REUSEADDR; here is where the second
        // one fails (socket(7)).
        if (const int error = posix_socket::listen(fd.get(), request.backlog))
            return {error, to};
        if (port == 0)
            port = posix_socket::require_local_address(fd.get()).port();
        made.push_back(std::move(fd));
    }
    return {};
}

/// A free port of one address may be taken at another: then another address is first to
/// choose, as in anyio.
std::vector<unique_fd> bind_with_one_port(
    const listener_request& request, std::vector<ip_endpoint> addresses
) {
    constexpr std::size_t rounds = 4;
    const std::size_t most =
        request.port != 0 || addresses.size() == 1 ? 1 : rounds * addresses.size();
    bind_failure failure;
    for (std::size_t i = 0; i < most; ++i) {
        std::vector<unique_fd> made;
        failure = bind_all(request, addresses, false, made);
        if (failure.error == 0)
            return made;
        if (failure.error != EADDRINUSE)
            break;
        std::ranges::rotate(addresses, addresses.begin() + 1);
    }
    if (failure.error == EADDRINUSE && request.port == 0 && addresses.size() > 1)
        throw os_error(
            EADDRINUSE,
            "bind tcp",
            describe(request.host, ":0"),
            describe(
                "none of ",
                most,
                " ports that were free at one of its ",
                addresses.size(),
                " addresses was free at all; give a port, or one address"
            )
        );
    posix_socket::throw_bind_error(failure.error, failure.to);
}

/// All addresses of this machine: one socket for both families, or what there is.
std::vector<unique_fd> bind_everywhere(const listener_request& request) {
    std::vector<unique_fd> made;
    bind_failure failure;
    const ip_endpoint v6(ipv6_address::any(), request.port);
    const ip_endpoint v4(ipv4_address::any(), request.port);
    if (request.family != address_family::ipv4) {
        try {
            const bool dual_stack = request.family == address_family::any;
            failure = bind_all(request, {v6}, dual_stack, made);
        } catch (const os_error& error) {
            failure = {error.code().value(), v6};
        }
        // Kernels without IPv6 refuse the socket, those that have it off the address.
        const bool no_v6 =
            failure.error == EAFNOSUPPORT || failure.error == EADDRNOTAVAIL;
        if (failure.error == 0 || request.family == address_family::ipv6 || !no_v6) {
            if (failure.error != 0)
                posix_socket::throw_bind_error(failure.error, failure.to);
            return made;
        }
    }
    failure = bind_all(request, {v4}, false, made);
    if (failure.error != 0)
        posix_socket::throw_bind_error(failure.error, failure.to);
    return made;
}

task<tcp_listener> listen(listener_request request) {
    co_await detail::begin_step();
    if (request.backlog < 0)
        throw usage_error(describe(
            "create_tcp_listener: the backlog is ", request.backlog, ", negative"
        ));
    std::vector<unique_fd> sockets;
    if (request.host.empty()) {
        sockets = bind_everywhere(request);
    } else {
        std::vector<ip_endpoint> addresses = co_await getaddrinfo(
            request.host, request.port, {.family = request.family, .passive = true}
        );
        sockets = bind_with_one_port(request, std::move(addresses));
    }
    co_return tcp_listener::made(std::move(sockets));
}

}  // namespace

// Not a coroutine: what `local_host` refers to may be gone when the task begins.
task<tcp_listener> create_tcp_listener(create_tcp_listener_options options) {
    return listen(
        {std::string(options.local_host),
         options.local_port,
         options.family,
         options.backlog,
         options.reuse_port}
    );
}

}  // namespace anyio
