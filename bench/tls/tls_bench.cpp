// SPDX-License-Identifier: MIT
/// @file
/// TLS: 16 KiB pieces through a connection on the loopback interface, and handshakes in
/// memory. bench/raw/tls_raw_bench.cpp does the same with OpenSSL alone.

#include <anyio/streams/tls.hpp>

#include <anyio/anyio.hpp>
#include <anyio/testing/memory_stream.hpp>
#include "support/certificates.hpp"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <utility>

namespace {

using anyio::socket_stream;
using anyio::task;
using anyio::task_group;
using benchmark::State;

constexpr std::size_t piece = 16'384;
constexpr int pieces = 64;  // of one iteration

const support::identity& server_identity() {
    static const support::identity made = support::identity_for("localhost");
    return made;
}

struct contexts {
    contexts()
        : client(anyio::tls_context::client()), server(anyio::tls_context::server()) {
        client.trust(support::test_authority().certificate);
        server.use_certificate(server_identity().certificate, server_identity().key);
    }

    anyio::tls_context client;
    anyio::tls_context server;
};

template <class Transport>
task<std::pair<anyio::tls_stream<Transport>, anyio::tls_stream<Transport>>>
secured(std::pair<Transport, Transport> below, const contexts& of) {
    auto [client, server] = co_await anyio::gather(
        anyio::wrap_tls(
            std::move(below.first), {.hostname = "localhost", .context = &of.client}
        ),
        anyio::wrap_tls(std::move(below.second), {.context = &of.server})
    );
    co_return std::pair(std::move(client), std::move(server));
}

template <class Stream>
task<> send_pieces(Stream& to, const std::string& data) {
    for (int i = 0; i < pieces; ++i)
        co_await to.send(data);
}

template <class Stream>
task<> receive_pieces(Stream& from, std::string& into) {
    for (std::size_t left = piece * pieces; left != 0;) {
        const std::size_t got =
            co_await from.receive_some(anyio::as_writable_bytes(into));
        left -= got;
    }
}

template <class Transport>
task<> pass_pieces(State& state) {
    auto listener = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    auto one = co_await anyio::connect_tcp("127.0.0.1", listener.local_port());
    auto other = co_await listener.accept();
    const contexts of;
    auto ends = co_await secured(
        std::pair<Transport, Transport>(std::move(one), std::move(other)), of
    );
    const std::string data(piece, 'x');
    std::string got(piece, '\0');
    for (auto _ : state) {
        auto both = [&](task_group& tg) {
            tg.start_soon([&]() -> task<> { co_await send_pieces(ends.first, data); });
            tg.start_soon([&]() -> task<> {
                co_await receive_pieces(ends.second, got);
            });
        };
        co_await anyio::with(anyio::create_task_group(), both);
    }
    state.SetItemsProcessed(state.iterations() * pieces);
}

void M9_tls_16k(State& state) {
    anyio::run(pass_pieces<socket_stream>, std::ref(state));
}

void M9_tls_16k_erased(State& state) {
    anyio::run(pass_pieces<anyio::abc::byte_stream>, std::ref(state));
}

task<> shake_hands(State& state) {
    const contexts of;
    for (auto _ : state) {
        auto below = anyio::testing::memory_stream_pair();
        auto ends = co_await secured(std::move(below), of);
        benchmark::DoNotOptimize(ends);
    }
    state.SetItemsProcessed(state.iterations());
}

void M9_tls_handshake(State& state) {
    anyio::run(shake_hands, std::ref(state));
}

BENCHMARK(M9_tls_16k);
BENCHMARK(M9_tls_16k_erased);
BENCHMARK(M9_tls_handshake);

}  // namespace
