// SPDX-License-Identifier: MIT
/// @file
/// The rows of the performance table that are about memory object streams, with the names
/// and the loops of bench/raw/core_raw_bench.cpp; tools/bench.py divides the two.

#include <anyio/anyio.hpp>
#include "../raw/measure.hpp"

#include <benchmark/benchmark.h>

#include <cstdint>

namespace {

using anyio::task;
using anyio::task_group;
using benchmark::State;

using send_stream = anyio::memory_object_send_stream<int>;
using receive_stream = anyio::memory_object_receive_stream<int>;

constexpr int rounds = 10'000;

// M4: one task sends 10 000 integers through a stream, another receives them.

task<> send_all(send_stream& through) {
    for (int i = 0; i < rounds; ++i)
        co_await through.send(i);
}

task<> receive_all(receive_stream& from, std::int64_t& sum) {
    for (int i = 0; i < rounds; ++i) {
        const int item = co_await from.receive();
        sum += item;
    }
}

task<> pass_items(State& state, std::size_t capacity) {
    for (auto _ : state) {
        auto [send, receive] = anyio::create_memory_object_stream<int>(capacity);
        std::int64_t sum = 0;
        auto start = [&sum, &s = send, &r = receive](task_group& tg) {
            tg.start_soon(send_all, std::ref(s));
            tg.start_soon(receive_all, std::ref(r), std::ref(sum));
        };
        co_await anyio::with(anyio::create_task_group(), start);
        benchmark::DoNotOptimize(sum);
    }
}

void channel(State& state, std::size_t capacity) {
    anyio::run(pass_items, std::ref(state), capacity);
    measure::report(state, state.iterations() * rounds);
}

void M4_channel_0(State& state) {
    channel(state, 0);
}

void M4_channel_1(State& state) {
    channel(state, 1);
}

void M4_channel_64(State& state) {
    channel(state, 64);
}

BENCHMARK(M4_channel_0);
BENCHMARK(M4_channel_1);
BENCHMARK(M4_channel_64);

// The same with `next()`, which is what loops use.

task<> receive_until_end(receive_stream& from, std::int64_t& sum) {
    while (auto item = co_await from.next())
        sum += *item;
}

task<> send_all_and_close(send_stream& through) {
    for (int i = 0; i < rounds; ++i)
        co_await through.send(i);
    through.close();
}

task<> pass_items_by_next(State& state) {
    for (auto _ : state) {
        auto [send, receive] = anyio::create_memory_object_stream<int>(64);
        std::int64_t sum = 0;
        auto start = [&sum, &s = send, &r = receive](task_group& tg) {
            tg.start_soon(send_all_and_close, std::ref(s));
            tg.start_soon(receive_until_end, std::ref(r), std::ref(sum));
        };
        co_await anyio::with(anyio::create_task_group(), start);
        benchmark::DoNotOptimize(sum);
    }
}

void M4_channel_64_next(State& state) {
    anyio::run(pass_items_by_next, std::ref(state));
    measure::report(state, state.iterations() * rounds);
}

BENCHMARK(M4_channel_64_next);

}  // namespace
