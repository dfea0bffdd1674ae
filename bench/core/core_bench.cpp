// SPDX-License-Identifier: MIT
/// @file
/// The core rows of the performance table, with the names and the loops of
/// bench/raw/core_raw_bench.cpp; tools/bench.py divides the two.

#include <anyio/anyio.hpp>
#include "../raw/measure.hpp"
#include "../raw/raw_timers.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace {

using namespace std::chrono_literals;
using anyio::task;
using anyio::task_group;
using benchmark::State;

constexpr int crowd = 100'000;  // tasks of the cases with many

// M1: a group of 1000 children; each yields once; the parent joins them.

task<> yield_once() {
    co_await anyio::lowlevel::checkpoint();
}

task<> spawn_and_join(State& state) {
    for (auto _ : state)
        co_await anyio::with(anyio::create_task_group(), [](task_group& tg) {
            for (int i = 0; i < 1000; ++i)
                tg.start_soon(yield_once);
        });
}

void M1_spawn_join(State& state) {
    anyio::run(spawn_and_join, std::ref(state));
    measure::report(state, state.iterations() * 1000);
}

BENCHMARK(M1_spawn_join);

// M2: fib(20), every call a lazy coroutine that returns an int.

constexpr int fib_argument = 20;
constexpr int fib_calls = 21'891;  // 2 * fib(21) - 1

task<int> fib(int n) {
    if (n < 2)
        co_return n;
    const int one = co_await fib(n - 1);
    const int other = co_await fib(n - 2);
    co_return one + other;
}

task<> call_fib(State& state) {
    for (auto _ : state) {
        const int result = co_await fib(fib_argument);
        benchmark::DoNotOptimize(result);
    }
}

void M2_awaited_call(State& state) {
    anyio::run(call_fib, std::ref(state));
    measure::report(state, state.iterations() * fib_calls);
}

BENCHMARK(M2_awaited_call);

// M3y: two tasks, each yields 10 000 times. M3e: two tasks, each sets the other's event
// and waits for its own, 10 000 times. Each of the 20 000 suspensions is a switch.

constexpr int rounds = 10'000;

task<> yield_often() {
    for (int i = 0; i < rounds; ++i)
        co_await anyio::lowlevel::checkpoint();
}

task<> both_yield(State& state) {
    for (auto _ : state)
        co_await anyio::with(anyio::create_task_group(), [](task_group& tg) {
            tg.start_soon(yield_often);
            tg.start_soon(yield_often);
        });
}

void M3y_yield_switch(State& state) {
    anyio::run(both_yield, std::ref(state));
    measure::report(state, state.iterations() * rounds * 2);
}

BENCHMARK(M3y_yield_switch);

/// An event is set once, so each wait has a new one.
using next_event = std::optional<anyio::event>;

task<> wait_and_wake(next_event& mine, next_event& others) {
    for (int i = 0; i < rounds; ++i) {
        co_await mine->wait();
        mine.emplace();
        others->set();
    }
}

task<> both_wake(State& state) {
    for (auto _ : state) {
        next_event ping(std::in_place);
        next_event pong(std::in_place);
        ping->set();
        co_await anyio::with(anyio::create_task_group(), [&](task_group& tg) {
            tg.start_soon(wait_and_wake, std::ref(ping), std::ref(pong));
            tg.start_soon(wait_and_wake, std::ref(pong), std::ref(ping));
        });
    }
}

void M3e_event_switch(State& state) {
    anyio::run(both_wake, std::ref(state));
    measure::report(state, state.iterations() * rounds * 2);
}

BENCHMARK(M3e_event_switch);

// M5: a deadline of one second, which never passes, around one yield or around an
// operation that is ready.

task<> time_out_yield(State& state) {
    for (auto _ : state)
        co_await anyio::fail_after(1s, anyio::lowlevel::checkpoint());
}

void M5_timeout_suspending(State& state) {
    anyio::run(time_out_yield, std::ref(state));
    measure::report(state, state.iterations());
}

task<> time_out_ready(State& state) {
    anyio::event ready;
    ready.set();
    for (auto _ : state)
        co_await anyio::fail_after(1s, ready.wait());
}

void M5_timeout_ready(State& state) {
    anyio::run(time_out_ready, std::ref(state));
    measure::report(state, state.iterations());
}

BENCHMARK(M5_timeout_suspending);
BENCHMARK(M5_timeout_ready);

// M5s: 100 000 tasks sleep once, for 0 to 10 ms in a scrambled order; CPU time of the
// process from the first spawn to the last end.

anyio::duration scrambled_nap(int i) {
    const std::uint32_t spread = static_cast<std::uint32_t>(i) * 2'654'435'761U;
    return anyio::duration(
        static_cast<std::int64_t>((std::uint64_t{spread} * 10'000'000) >> 32)
    );
}

task<> nap(anyio::duration length) {
    co_await anyio::sleep(length);
}

void M5s_sleepers(State& state) {
    for (auto _ : state) {
        const double start = measure::cpu_seconds();
        anyio::run([]() -> task<> {
            co_await anyio::with(anyio::create_task_group(), [](task_group& tg) {
                for (int i = 0; i < crowd; ++i)
                    tg.start_soon(nap, scrambled_nap(i));
            });
        });
        state.SetIterationTime(measure::cpu_seconds() - start);
    }
    measure::report(state, state.iterations() * crowd);
}

BENCHMARK(M5s_sleepers)->UseManualTime()->Iterations(5);

// M6: 100 000 tasks, blocked one or ten frames deep, are cancelled. Timed from cancel()
// to the end of the last.

task<int> block_deep(int depth) {
    if (depth == 1) {
        co_await anyio::sleep_forever();
        co_return 0;
    }
    const int below = co_await block_deep(depth - 1);
    co_return below + 1;
}

task<> block_ten_deep() {
    const int below = co_await block_deep(9);
    benchmark::DoNotOptimize(below);
}

task<> block() {
    co_await anyio::sleep_forever();
}

void cancel_crowd(State& state, task<> (*blocked)()) {
    for (auto _ : state) {
        std::int64_t start = 0;
        anyio::run([&]() -> task<> {
            co_await anyio::with(
                anyio::create_task_group(),
                [&](task_group& tg) -> task<> {
                    for (int i = 0; i < crowd; ++i)
                        tg.start_soon(blocked);
                    co_await anyio::lowlevel::checkpoint();
                    start = raw::now();
                    tg.cancel();
                }
            );
            state.SetIterationTime(static_cast<double>(raw::now() - start) * 1e-9);
        });
    }
    measure::report(state, state.iterations() * crowd);
}

void M6_cancel_deep10(State& state) {
    cancel_crowd(state, block_ten_deep);
}

void M6_cancel_deep1(State& state) {
    cancel_crowd(state, block);
}

BENCHMARK(M6_cancel_deep10)->UseManualTime()->Iterations(5);
BENCHMARK(M6_cancel_deep1)->UseManualTime()->Iterations(5);

// M7: bytes that one more blocked task costs.

void M7_sleep_bytes(State& state) {
    for (auto _ : state)
        anyio::run([&]() -> task<> {
            const std::size_t before = measure::live_bytes;
            co_await anyio::with(
                anyio::create_task_group(),
                [&](task_group& tg) -> task<> {
                    for (int i = 0; i < crowd; ++i)
                        tg.start_soon(nap, 1h);
                    co_await anyio::lowlevel::checkpoint();
                    measure::report_bytes(state, measure::live_bytes - before, crowd);
                    tg.cancel();
                }
            );
        });
}

BENCHMARK(M7_sleep_bytes)->Iterations(1);

constexpr std::size_t pairs = 4000;  // 8000 descriptors; see ulimit -n

task<>
receive_once(anyio::socket_stream& from, anyio::byte_span buffer, std::size_t& total) {
    total += co_await from.receive_some(buffer);
}

// The sockets exist, and have been used, before the counting begins.
task<> count_receivers(State& state) {
    auto listener = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    std::vector<anyio::socket_stream> clients;
    std::vector<anyio::socket_stream> servers;
    std::array<std::byte, 64> buffer{};
    for (std::size_t i = 0; i < pairs; ++i) {
        auto client = co_await anyio::connect_tcp("127.0.0.1", listener.local_port());
        auto server = co_await listener.accept();
        co_await client.send("x");
        co_await server.receive_some(buffer);
        clients.push_back(std::move(client));
        servers.push_back(std::move(server));
    }
    for (auto _ : state) {
        std::size_t total = 0;
        const std::size_t before = measure::live_bytes;
        co_await anyio::with(anyio::create_task_group(), [&](task_group& tg) -> task<> {
            for (auto& server : servers)
                tg.start_soon(
                    receive_once,
                    std::ref(server),
                    anyio::byte_span(buffer),
                    std::ref(total)
                );
            co_await anyio::lowlevel::checkpoint();
            measure::report_bytes(state, measure::live_bytes - before, pairs);
            // Let each receive its byte: the proof that they were waiting in a receive.
            for (auto& client : clients)
                co_await client.send("x");
        });
        if (total != pairs)
            state.SkipWithError("a receive got nothing");
    }
}

void M7_receive_bytes(State& state) {
    anyio::run(count_receivers, std::ref(state));
}

BENCHMARK(M7_receive_bytes)->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
