// SPDX-License-Identifier: MIT
#include <anyio/networking/tcp_listener.hpp>

#include <anyio/base/errors.hpp>
#include "listener_core.hpp"
#include "posix_adopt.hpp"

namespace anyio {

namespace {

/// The sockets, for a question.
const std::vector<std::unique_ptr<detail::listening_socket>>&
sockets_of(const detail::listener_core* core, const char* question) {
    if (!core)
        throw closed_resource_error(describe(
            question, " of tcp_listener: the listener is closed, or was moved from"
        ));
    return core->sockets();
}

}  // namespace

constinit const detail::listener_kind tcp_listener::kind_ =
    detail::accept_core::make_kind(
        "tcp_listener", "accept tcp", true, "tcp_listener::accept"
    );

tcp_listener tcp_listener::from_fd(unique_fd&& fd) {
    detail::unique_core core(new detail::listener_core(kind_));
    core->add(posix_socket::adopt(
        fd,
        {.operation = "tcp_listener::from_fd", .is_unix_domain = false, .listens = true}
    ));
    return tcp_listener(*core.release());
}

tcp_listener tcp_listener::made(std::vector<unique_fd> listening) {
    detail::unique_core core(new detail::listener_core(kind_));
    for (unique_fd& fd : listening)
        core->add(std::move(fd));
    return tcp_listener(*core.release());
}

std::uint16_t tcp_listener::local_port() const {
    return sockets_of(core(), "local_port").front()->local.port();
}

std::vector<ip_endpoint> tcp_listener::local_addresses() const {
    std::vector<ip_endpoint> addresses;
    for (const auto& socket : sockets_of(core(), "local_addresses"))
        addresses.push_back(socket->local);
    return addresses;
}

socket_family tcp_listener::attribute(socket_attribute::family) const {
    return sockets_of(core(), "family").front()->local.is_v6() ? socket_family::ipv6
                                                               : socket_family::ipv4;
}

ip_endpoint tcp_listener::attribute(socket_attribute::local_address) const {
    return sockets_of(core(), "local_address").front()->local;
}

int tcp_listener::attribute(socket_attribute::raw_socket) const noexcept {
    return core() ? core()->sockets().front()->target->fd : -1;
}

}  // namespace anyio
