// SPDX-License-Identifier: MIT
#include <anyio/testing/free_tcp_port.hpp>

#include <anyio/base/errors.hpp>
#include <anyio/base/unique_fd.hpp>

#include <cerrno>

#include <netinet/in.h>
#include <sys/socket.h>

namespace anyio::testing {

namespace {

[[noreturn]] void fail(const char* operation) {
    throw os_error(errno, operation, "a free port");
}

std::uint16_t free_port(address_family family, int type) {
    const bool v6 = family == address_family::ipv6;
    const unique_fd socket(::socket(v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0));
    if (!socket)
        fail("socket");
    sockaddr_in6 loopback_v6{};
    loopback_v6.sin6_family = AF_INET6;
    loopback_v6.sin6_addr = in6addr_loopback;
    sockaddr_in loopback_v4{};
    loopback_v4.sin_family = AF_INET;
    loopback_v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const address = v6 ? reinterpret_cast<sockaddr*>(&loopback_v6)
                             : reinterpret_cast<sockaddr*>(&loopback_v4);
    socklen_t size = v6 ? sizeof(loopback_v6) : sizeof(loopback_v4);
    if (::bind(socket.get(), address, size) != 0)
        fail("bind");
    if (::getsockname(socket.get(), address, &size) != 0)
        fail("getsockname");
    return ntohs(v6 ? loopback_v6.sin6_port : loopback_v4.sin_port);
}

}  // namespace

std::uint16_t free_tcp_port(address_family family) {
    return free_port(family, SOCK_STREAM);
}

std::uint16_t free_udp_port(address_family family) {
    return free_port(family, SOCK_DGRAM);
}

}  // namespace anyio::testing
