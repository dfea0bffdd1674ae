// SPDX-License-Identifier: MIT
/// @file
/// Datagrams of 64 bytes: each is sent from one socket to another on the loopback
/// interface, and received there, as in bench/raw/datagram_raw_bench.cpp.

#include <anyio/anyio.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>
#include <functional>

namespace {

using anyio::task;
using benchmark::State;

task<> pass_datagrams(State& state) {
    auto one = co_await anyio::create_udp_socket({.local_host = "127.0.0.1"});
    auto other = co_await anyio::create_udp_socket({.local_host = "127.0.0.1"});
    const anyio::ip_endpoint to = other.local_address();
    const std::array<std::byte, 64> data{};
    std::array<std::byte, 2048> got{};
    for (auto _ : state) {
        co_await one.send_to(data, to);
        const auto received = co_await other.receive_into(got);
        if (received.size != data.size())
            std::abort();
    }
    state.SetItemsProcessed(state.iterations());
}

void datagrams_on(State& state, const char* backend) {
    anyio::run({.backend = backend}, pass_datagrams, std::ref(state));
}

void M9_datagram(State& state) {
    datagrams_on(state, "epoll");
}

void M9_datagram_uring(State& state) {
    datagrams_on(state, "io_uring");
}

BENCHMARK(M9_datagram);
BENCHMARK(M9_datagram_uring);

}  // namespace
