// SPDX-License-Identifier: MIT
/// @file
/// anyio_instructions <case> <thousands>: the hot paths, with nothing around them, for
/// tools/count_instructions.py. What a benchmark tells on a quiet machine, a count of
/// instructions tells on any, to the per cent.

#include <anyio/anyio.hpp>
#include "lowlevel/scheduler.hpp"

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace {

using namespace std::chrono_literals;
using anyio::event;
using anyio::task;
using anyio::task_group;

template <class T>
void keep(const T& value) {
    asm volatile("" : : "g"(&value) : "memory");
}

task<> yield_once() {
    co_await anyio::lowlevel::checkpoint();
}

task<> spawn_join(int thousands) {
    for (int i = 0; i < thousands; ++i)
        co_await anyio::with(anyio::create_task_group(), [](task_group& tg) {
            for (int k = 0; k < 1000; ++k)
                tg.start_soon(yield_once);
        });
}

task<int> square(int n) {
    co_return n* n;
}

task<> awaited_call(int thousands) {
    for (int i = 0; i < thousands * 1000; ++i) {
        const int result = co_await square(i);
        keep(result);
    }
}

task<> yield_switch(int thousands) {
    for (int i = 0; i < thousands * 1000; ++i)
        co_await anyio::lowlevel::checkpoint();
}

using next_event = std::optional<event>;

task<> wait_and_wake(next_event& mine, next_event& others, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        co_await mine->wait();
        mine.emplace();
        others->set();
    }
}

task<> event_switch(int thousands) {
    next_event ping(std::in_place);
    next_event pong(std::in_place);
    ping->set();
    co_await anyio::with(anyio::create_task_group(), [&](task_group& tg) {
        tg.start_soon(wait_and_wake, std::ref(ping), std::ref(pong), thousands * 500);
        tg.start_soon(wait_and_wake, std::ref(pong), std::ref(ping), thousands * 500);
    });
}

using send_stream = anyio::memory_object_send_stream<int>;
using receive_stream = anyio::memory_object_receive_stream<int>;

task<> send_all(send_stream& through, int items) {
    for (int i = 0; i < items; ++i)
        co_await through.send(i);
}

task<> receive_all(receive_stream& from, int items) {
    for (int i = 0; i < items; ++i) {
        const int item = co_await from.receive();
        keep(item);
    }
}

task<> channel(int thousands, std::size_t capacity) {
    auto [send, receive] = anyio::create_memory_object_stream<int>(capacity);
    auto start = [thousands, &s = send, &r = receive](task_group& tg) {
        tg.start_soon(send_all, std::ref(s), thousands * 1000);
        tg.start_soon(receive_all, std::ref(r), thousands * 1000);
    };
    co_await anyio::with(anyio::create_task_group(), start);
}

task<> channel_0(int thousands) {
    co_await channel(thousands, 0);
}

task<> channel_1(int thousands) {
    co_await channel(thousands, 1);
}

task<> channel_64(int thousands) {
    co_await channel(thousands, 64);
}

task<> timeout_suspending(int thousands) {
    for (int i = 0; i < thousands * 1000; ++i)
        co_await anyio::fail_after(1s, anyio::lowlevel::checkpoint());
}

task<> timeout_ready(int thousands) {
    event ready;
    ready.set();
    for (int i = 0; i < thousands * 1000; ++i)
        co_await anyio::fail_after(1s, ready.wait());
}

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
    keep(below);
}

task<> block() {
    co_await anyio::sleep_forever();
}

task<> cancel(int thousands, task<> (*blocked)()) {
    for (int i = 0; i < thousands; ++i)
        co_await anyio::with(anyio::create_task_group(), [&](task_group& tg) -> task<> {
            for (int k = 0; k < 1000; ++k)
                tg.start_soon(blocked);
            co_await anyio::lowlevel::checkpoint();
            tg.cancel();
        });
}

task<> cancel_deep10(int thousands) {
    co_await cancel(thousands, block_ten_deep);
}

task<> cancel_deep1(int thousands) {
    co_await cancel(thousands, block);
}

// Callgrind is some 60 times slower, but the tick counter is the machine's: the loop would
// take each step for a long one and measure it alone. Here no time goes by, or what else
// the machine does would show.
task<> in_undisturbed_time(task<> (*function)(int), int thousands) {
    anyio::lowlevel::scheduler::of(*anyio::lowlevel::this_loop).set_slowdown(32);
    co_await function(thousands);
}

struct bench_case {
    std::string_view name;
    task<> (*function)(int);
};

constexpr std::array cases{
    bench_case{"spawn_join", spawn_join},
    bench_case{"awaited_call", awaited_call},
    bench_case{"yield_switch", yield_switch},
    bench_case{"event_switch", event_switch},
    bench_case{"channel_0", channel_0},
    bench_case{"channel_1", channel_1},
    bench_case{"channel_64", channel_64},
    bench_case{"timeout_suspending", timeout_suspending},
    bench_case{"timeout_ready", timeout_ready},
    bench_case{"cancel_deep10", cancel_deep10},
    bench_case{"cancel_deep1", cancel_deep1},
};

}  // namespace

int main(int argc, char** argv) {
    for (const bench_case& chosen : cases)
        if (argc == 3 && chosen.name == argv[1]) {
            anyio::run(in_undisturbed_time, chosen.function, std::atoi(argv[2]));
            return 0;
        }
    std::puts("usage: anyio_instructions <case> <thousands>");
    return 2;
}
