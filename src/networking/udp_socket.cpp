// SPDX-License-Identifier: MIT
#include <anyio/networking/udp_socket.hpp>

#include <anyio/base/caught_as.hpp>
#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/base/exception_group.hpp>
#include "../lowlevel/scheduler.hpp"
#include "begin_step.hpp"
#include "posix_adopt.hpp"
#include "posix_datagram.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace anyio {

static_assert(std::is_trivially_destructible_v<create_udp_socket_options>);

constinit const detail::datagram_kind udp_socket::kind_ =
    detail::datagram_operation::make_kind(
        "udp_socket", "udp_socket::receive", "udp_socket::send", false, false
    );

constinit const detail::datagram_kind connected_udp_socket::kind_ =
    detail::datagram_operation::make_kind(
        "connected_udp_socket",
        "connected_udp_socket::receive",
        "connected_udp_socket::send",
        true,
        false
    );

ip_endpoint udp_socket::local_address() const {
    return posix_socket::require_local_address(require_fd("local_address of"));
}

ip_endpoint connected_udp_socket::local_address() const {
    return posix_socket::require_local_address(require_fd("local_address of"));
}

udp_socket udp_socket::from_fd(unique_fd&& fd) {
    backends::descriptor& target = posix_socket::adopt(
        fd,
        posix_socket::datagram_requirement{
            .operation = "udp_socket::from_fd",
            .is_unix_domain = false,
            .is_connected = false,
        }
    );
    return {target, posix_socket::is_v6(target.fd)};
}

connected_udp_socket connected_udp_socket::from_fd(unique_fd&& fd) {
    const ip_endpoint remote = posix_socket::remote_address(fd.get());
    backends::descriptor& target = posix_socket::adopt(
        fd,
        posix_socket::datagram_requirement{
            .operation = "connected_udp_socket::from_fd",
            .is_unix_domain = false,
            .is_connected = true,
        }
    );
    return {target, remote, posix_socket::is_v6(target.fd)};
}

namespace {

/// create_udp_socket_options, owning their text.
struct socket_request {
    explicit socket_request(const create_udp_socket_options& options)
        : family(options.family), local_host(options.local_host),
          local_port(options.local_port), reuse_port(options.reuse_port) {}

    address_family family;
    std::string local_host;
    std::uint16_t local_port;
    bool reuse_port;
};

backends::descriptor& attach(unique_fd& fd) {
    backends::descriptor& target =
        lowlevel::scheduler::of(*lowlevel::this_loop).backend().attach(fd.get());
    static_cast<void>(fd.release());
    return target;
}

unique_fd open_at(const ip_endpoint& local, bool reuse_port) {
    unique_fd fd = posix_socket::open_udp(local.is_v6());
    const posix_socket::bind_options options{.reuse_port = reuse_port, .v6_only = true};
    if (const int error = posix_socket::bind(fd.get(), local, options))
        posix_socket::throw_bind_error(error, local, "bind udp");
    return fd;
}

task<udp_socket> create(socket_request request) {
    co_await detail::begin_step();
    ip_endpoint local(ipv4_address::any(), request.local_port);
    if (!request.local_host.empty()) {
        const auto found = co_await getaddrinfo(
            request.local_host,
            request.local_port,
            {.family = request.family, .passive = true}
        );
        local = found.front();
    } else if (request.family == address_family::any) {
        throw usage_error(
            "create_udp_socket: neither .family nor .local_host is given; one of them "
            "says whether the socket is of IPv4 or IPv6"
        );
    } else if (request.family == address_family::ipv6) {
        local = {ipv6_address::any(), request.local_port};
    }
    unique_fd fd = open_at(local, request.reuse_port);
    co_return udp_socket(attach(fd), local.is_v6());
}

/// Where sockets may be that are connected; none: the system chooses.
task<std::vector<ip_endpoint>> find_locals(socket_request request) {
    std::vector<ip_endpoint> locals;
    if (!request.local_host.empty()) {
        locals = co_await getaddrinfo(
            request.local_host,
            request.local_port,
            {.family = request.family, .passive = true}
        );
    } else if (request.local_port != 0) {
        locals.emplace_back(ipv4_address::any(), request.local_port);
        locals.emplace_back(ipv6_address::any(), request.local_port);
    }
    co_return locals;
}

/// Throws os_error, of which "connect udp" concerns this address only.
connected_udp_socket connect_to(
    const ip_endpoint& remote, const std::vector<ip_endpoint>& locals, bool reuse_port
) {
    const auto local = std::ranges::find_if(locals, [&](const ip_endpoint& endpoint) {
        return endpoint.is_v6() == remote.is_v6();
    });
    if (local == locals.end() && !locals.empty())
        throw os_error(
            EAFNOSUPPORT,
            "connect udp",
            to_string(remote),
            describe("the local address is ", locals.front().address())
        );
    unique_fd fd = locals.empty() ? posix_socket::open_udp(remote.is_v6())
                                  : open_at(*local, reuse_port);
    const auto to = posix_socket::to_native(remote);
    if (const int error = posix_socket::connect_datagram(fd.get(), to))
        throw os_error(error, "connect udp", to_string(remote));
    if (!locals.empty())
        posix_socket::drop_received(fd.get());
    return {attach(fd), remote, remote.is_v6()};
}

[[noreturn]] void throw_no_way(
    const std::string& host,
    std::uint16_t port,
    const std::vector<ip_endpoint>& remotes,
    std::vector<std::exception_ptr> errors
) {
    const bool is_v6 = host.find(':') != std::string::npos;
    const std::string subject = describe(
        "create_connected_udp_socket ", is_v6 ? "[" : "", host, is_v6 ? "]:" : ":", port
    );
    if (errors.size() == 1)
        throw_caused(
            connection_failed(
                describe(subject, ": ", caught_as<os_error>(errors.front())->what())
            ),
            errors.front()
        );
    const std::string text =
        describe(subject, ": no way to any of ", remotes.size(), " addresses");
    throw_caused(
        connection_failed(text),
        std::make_exception_ptr(exception_group(text, std::move(errors)))
    );
}

task<connected_udp_socket>
create_connected(std::string host, std::uint16_t port, socket_request request) {
    co_await detail::begin_step();
    if (port == 0)
        throw usage_error(describe(
            "create_connected_udp_socket ", host, ": port 0 cannot be connected to"
        ));
    const std::vector<ip_endpoint> remotes =
        co_await getaddrinfo(host, port, {.family = request.family});
    const std::vector<ip_endpoint> locals = co_await find_locals(request);
    std::vector<std::exception_ptr> errors;
    for (const ip_endpoint& remote : remotes) {
        try {
            co_return connect_to(remote, locals, request.reuse_port);
        } catch (const os_error& error) {
            if (error.operation() != "connect udp")
                throw;
            errors.push_back(std::current_exception());
        }
    }
    throw_no_way(host, port, remotes, std::move(errors));
}

}  // namespace

// No coroutines: what the options refer to may be gone when the task begins.
task<udp_socket> create_udp_socket(create_udp_socket_options options) {
    return create(socket_request(options));
}

task<connected_udp_socket> create_connected_udp_socket(
    std::string_view remote_host,
    std::uint16_t remote_port,
    create_udp_socket_options options
) {
    return create_connected(
        std::string(remote_host), remote_port, socket_request(options)
    );
}

}  // namespace anyio
