// SPDX-License-Identifier: MIT
#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/networking/as_connectable.hpp>
#include <anyio/networking/connect_tcp.hpp>
#include <anyio/networking/connect_unix.hpp>
#include <anyio/networking/tcp_connectable.hpp>
#include <anyio/networking/unix_connectable.hpp>

#include <exception>

namespace anyio {

namespace {

std::string target(std::string_view host, std::uint16_t port) {
    const bool is_v6 = host.find(':') != std::string_view::npos;
    return describe(is_v6 ? "[" : "", host, is_v6 ? "]:" : ":", port);
}

/// Where a name is not known, no connection can be made either.
task<socket_stream> connect_or_fail(std::string host, std::uint16_t port) {
    try {
        socket_stream stream = co_await connect_tcp(host, port);
        co_return std::move(stream);
    } catch (const os_error& error) {
        throw_caused(
            connection_failed(
                describe("connect_tcp ", target(host, port), ": ", error.what())
            ),
            std::current_exception()
        );
    }
}

}  // namespace

tcp_connectable::tcp_connectable(std::string_view host, std::uint16_t port)
    : host_(host), port_(port) {
    if (port == 0)
        throw usage_error(describe(
            "tcp_connectable ", target(host, port), ": port 0 cannot be connected to"
        ));
}

// Not a coroutine, so that it does not refer to this.
task<socket_stream> tcp_connectable::connect() const {
    return connect_or_fail(host_, port_);
}

unix_connectable::unix_connectable(const unix_address& to) : address_(to) {
    if (to.is_unnamed())
        throw usage_error("unix_connectable: the address is unnamed");
}

task<unix_socket_stream> unix_connectable::connect() const {
    return connect_unix(address_);
}

tcp_connectable as_connectable(const ip_endpoint& endpoint) {
    if (!endpoint)
        throw usage_error("as_connectable: there is no endpoint");
    return {to_string(endpoint.address()), endpoint.port()};
}

}  // namespace anyio
