// SPDX-License-Identifier: MIT
/// @file
/// M7_idle_connection: what one of 10 000 connections costs a server while it waits for
/// its client; the counterpart of bench/raw/idle_raw_bench.cpp.

#include <anyio/anyio.hpp>
#include "../raw/idle_clients.hpp"
#include "../raw/measure.hpp"

#include <benchmark/benchmark.h>

namespace {

using anyio::task;
using benchmark::State;

constexpr std::size_t crowd = 10'000;

struct tally {
    std::size_t served = 0;
    anyio::event all_served;
};

// What a server does: it takes what has come, and waits for more.
task<> serve(anyio::socket_stream client, tally& seen) {
    while (auto chunk = co_await client.next())
        if (++seen.served == crowd)
            seen.all_served.set();
}

task<> count_idle(State& state) {
    if (!measure::allow_descriptors(crowd)) {
        state.SkipWithError("no 10000 descriptors (see ulimit -n)");
        co_return;
    }
    auto listener = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    for (auto _ : state) {
        const std::size_t before = measure::resident_bytes();
        const std::size_t live_before = measure::live_bytes;
        tally seen;
        co_await anyio::with(
            anyio::create_task_group(),
            [&](anyio::task_group& tg) -> task<> {
                tg.start_soon([&]() -> task<> {
                    co_await listener.serve([&](anyio::socket_stream client) {
                        return serve(std::move(client), seen);
                    });
                });
                const measure::idle_clients clients(listener.local_port(), crowd);
                co_await seen.all_served.wait();
                co_await anyio::lowlevel::checkpoint();  // all wait again
                measure::report_bytes(state, measure::resident_bytes() - before, crowd);
                state.counters["allocated"] =
                    static_cast<double>(measure::live_bytes - live_before) / crowd;
                tg.cancel();
            }
        );
    }
}

void M7_idle_connection(State& state) {
    anyio::run(count_idle, std::ref(state));
}

BENCHMARK(M7_idle_connection)->Iterations(1);

}  // namespace
