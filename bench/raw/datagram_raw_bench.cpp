// SPDX-License-Identifier: MIT
/// @file
/// Datagrams of 64 bytes without this library: each is sent from one socket to another on
/// the loopback interface, and received there.

#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

struct endpoint {
    endpoint() : fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        require(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
        require(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    }

    endpoint(const endpoint&) = delete;
    endpoint& operator=(const endpoint&) = delete;

    ~endpoint() { ::close(fd); }

    int fd;
    sockaddr_in address{};
};

void M9_datagram(benchmark::State& state) {
    const endpoint one;
    const endpoint other;
    const std::array<char, 64> data{};
    std::array<char, 2048> got{};
    for (auto _ : state) {
        const auto* to = reinterpret_cast<const sockaddr*>(&other.address);
        const ssize_t sent =
            ::sendto(one.fd, data.data(), data.size(), 0, to, sizeof(other.address));
        sockaddr_in from{};
        socklen_t size = sizeof(from);
        const ssize_t received = ::recvfrom(
            other.fd,
            got.data(),
            got.size(),
            0,
            reinterpret_cast<sockaddr*>(&from),
            &size
        );
        require(sent == 64 && received == 64);
    }
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK(M9_datagram);

}  // namespace
