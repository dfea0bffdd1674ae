// SPDX-License-Identifier: MIT
/// @file
/// The floor of every core case of docs/design's performance table, on the raw runtime.
/// anyio_core_bench has the same names and the same loops; tools/bench.py divides the two.

#include "measure.hpp"
#include "raw_loop.hpp"
#include "raw_nested_call.hpp"
#include "raw_timers.hpp"
#include "raw_wait.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using benchmark::State;

constexpr std::int64_t million = 1'000'000;
constexpr int crowd = 100'000;  // tasks of the cases with many

// M1: a group of 1000 children; each yields once; the parent joins them.

raw::child yield_once() {
    co_await raw::yield{};
}

raw::child spawn_and_join(State& state) {
    for (auto _ : state) {
        raw::group children;
        for (int i = 0; i < 1000; ++i) {
            raw::spawn(children, yield_once());
        }
        co_await raw::join{children};
    }
}

void M1_spawn_join(State& state) {
    raw::run(spawn_and_join(state));
    measure::report(state, state.iterations() * 1000);
}

BENCHMARK(M1_spawn_join);

// M2: fib(20), every call a lazy coroutine that returns an int. M2_nested_call is the same
// by another way of calling, and has no counterpart: it tells what a library could gain.

constexpr int fib_argument = 20;
constexpr int fib_calls = 21'891;  // 2 * fib(21) - 1

template <class Task>
Task fib(int n) {
    if (n < 2) {
        co_return n;
    }
    const int one = co_await fib<Task>(n - 1);
    const int other = co_await fib<Task>(n - 2);
    co_return one + other;
}

template <class Task>
raw::child call_fib(State& state) {
    for (auto _ : state) {
        const int result = co_await fib<Task>(fib_argument);
        benchmark::DoNotOptimize(result);
    }
}

void M2_awaited_call(State& state) {
    raw::run(call_fib<raw::task<int>>(state));
    measure::report(state, state.iterations() * fib_calls);
}

void M2_nested_call(State& state) {
    raw::run(call_fib<raw::nested_task<int>>(state));
    measure::report(state, state.iterations() * fib_calls);
}

BENCHMARK(M2_awaited_call);
BENCHMARK(M2_nested_call);

// M3y: two tasks, each yields 10 000 times. M3e: two tasks, each sets the other's event
// and waits for its own, 10 000 times. Each of the 20 000 suspensions is a switch.

constexpr int rounds = 10'000;

raw::child yield_often() {
    for (int i = 0; i < rounds; ++i) {
        co_await raw::yield{};
    }
}

void M3y_yield_switch(State& state) {
    for (auto _ : state) {
        raw::group both;
        raw::spawn(both, yield_often());
        raw::spawn(both, yield_often());
        raw::run_ready();
    }
    measure::report(state, state.iterations() * rounds * 2);
}

BENCHMARK(M3y_yield_switch);

raw::child wake_each_other(raw::event& mine, raw::event& others) {
    for (int i = 0; i < rounds; ++i) {
        others.set();
        co_await mine.wait();
    }
}

void M3e_event_switch(State& state) {
    for (auto _ : state) {
        raw::event ping;
        raw::event pong;
        raw::group both;
        raw::spawn(both, wake_each_other(ping, pong));
        raw::spawn(both, wake_each_other(pong, ping));
        raw::run_ready();
    }
    measure::report(state, state.iterations() * rounds * 2);
}

BENCHMARK(M3e_event_switch);

// M4: one task sends 10 000 integers through a channel, another receives them.

raw::child send_all(raw::channel& through) {
    for (int i = 0; i < rounds; ++i) {
        co_await through.send(i);
    }
}

raw::child receive_all(raw::channel& from, std::int64_t& sum) {
    for (int i = 0; i < rounds; ++i) {
        const int item = co_await from.receive();
        sum += item;
    }
}

void pass_items(State& state, std::size_t capacity) {
    for (auto _ : state) {
        raw::channel between{capacity};
        std::int64_t sum = 0;
        raw::group both;
        raw::spawn(both, send_all(between));
        raw::spawn(both, receive_all(between, sum));
        raw::run_ready();
        benchmark::DoNotOptimize(sum);
    }
    measure::report(state, state.iterations() * rounds);
}

void M4_channel_0(State& state) {
    pass_items(state, 0);
}

void M4_channel_1(State& state) {
    pass_items(state, 1);
}

void M4_channel_64(State& state) {
    pass_items(state, 64);
}

BENCHMARK(M4_channel_0);
BENCHMARK(M4_channel_1);
BENCHMARK(M4_channel_64);

// M5: a deadline of one second, which never passes, around one yield or around an
// operation that is ready. One task, no other deadline, the clock read for each.

struct ready_operation {
    bool await_ready() noexcept {
        benchmark::ClobberMemory();
        return true;
    }

    void await_suspend(std::coroutine_handle<>) noexcept {}

    void await_resume() noexcept {}
};

template <class Operation>
raw::child time_out(State& state, raw::timer_heap<raw::deadline>& armed) {
    for (auto _ : state) {
        const raw::deadline limit{armed, 1000 * million};
        co_await Operation{};
    }
}

template <class Operation>
void time_out_case(State& state) {
    raw::timer_heap<raw::deadline> armed;
    raw::run(time_out<Operation>(state, armed));
    measure::report(state, state.iterations());
}

void M5_timeout_suspending(State& state) {
    time_out_case<raw::yield>(state);
}

void M5_timeout_ready(State& state) {
    time_out_case<ready_operation>(state);
}

BENCHMARK(M5_timeout_suspending);
BENCHMARK(M5_timeout_ready);

// M5s: 100 000 tasks sleep once, for 0 to 10 ms in a scrambled order; CPU time of the
// process from the first spawn to the last end. Each round begins with fresh frames: tasks
// that end in a scrambled order leave the recycler scrambled, and the next round pays.

std::int64_t scrambled_nap(int i) {
    const std::uint32_t spread = static_cast<std::uint32_t>(i) * 2'654'435'761U;
    return static_cast<std::int64_t>((std::uint64_t{spread} * 10 * million) >> 32);
}

raw::child nap(raw::sleepers& among, std::int64_t nanoseconds) {
    co_await raw::sleep{among, nanoseconds};
}

void M5s_sleepers(State& state) {
    for (auto _ : state) {
        const raw::fresh_frames fresh;
        const double start = measure::cpu_seconds();
        raw::sleepers asleep;
        raw::group children;
        for (int i = 0; i < crowd; ++i) {
            raw::spawn(children, nap(asleep, scrambled_nap(i)));
        }
        raw::run_sleepers(asleep);
        state.SetIterationTime(measure::cpu_seconds() - start);
    }
    measure::report(state, state.iterations() * crowd);
}

BENCHMARK(M5s_sleepers)->UseManualTime()->Iterations(5);

// M6: 100 000 tasks, blocked one or ten frames deep, are unwound, innermost frame first,
// newest task first. Only the unwinding is timed. Each round begins with fresh frames.

raw::task<int> block_deep(raw::parking_place& place, int depth) {
    if (depth == 1) {
        co_await place.park();
        co_return 0;
    }
    const int below = co_await block_deep(place, depth - 1);
    co_return below + 1;
}

raw::child block_ten_deep(raw::parking_place& place) {
    const int below = co_await block_deep(place, 9);
    benchmark::DoNotOptimize(below);
}

raw::child block(raw::parking_place& place) {
    co_await place.park();
}

void cancel_crowd(State& state, raw::child (*blocked)(raw::parking_place&)) {
    for (auto _ : state) {
        const raw::fresh_frames fresh;
        raw::parking_place place;
        raw::group children;
        for (int i = 0; i < crowd; ++i) {
            raw::spawn(children, blocked(place));
        }
        raw::run_ready();
        const std::int64_t start = raw::now();
        place.unwind_all();
        state.SetIterationTime(static_cast<double>(raw::now() - start) * 1e-9);
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

// M7: bytes that one more blocked task costs. The sockets of M7_receive_bytes exist, and
// are registered, before the counting begins.

void M7_sleep_bytes(State& state) {
    for (auto _ : state) {
        const raw::fresh_frames fresh;
        const std::size_t before = measure::live_bytes;
        raw::sleepers asleep;
        raw::group children;
        for (int i = 0; i < crowd; ++i) {
            raw::spawn(children, nap(asleep, 10 * million));
        }
        raw::run_ready();
        measure::report_bytes(state, measure::live_bytes - before, crowd);
        raw::run_sleepers(asleep);
    }
}

BENCHMARK(M7_sleep_bytes)->Iterations(1);

/// A non-blocking socket that is registered once, edge-triggered, with its own address.
struct raw_socket {
    int fd = -1;
    raw::promise_base* reader = nullptr;
};

struct receive : raw::wait_base<receive> {
    receive(raw_socket& from, char* buffer, std::size_t size) noexcept
        : from_(&from), buffer_(buffer), size_(size) {}

    bool await_ready() noexcept {
        got_ = ::recv(from_->fd, buffer_, size_, 0);
        return got_ >= 0;
    }

    void enqueue(raw::promise_base& waiter) noexcept { from_->reader = &waiter; }

    ssize_t await_resume() noexcept {
        return got_ >= 0 ? got_ : ::recv(from_->fd, buffer_, size_, 0);
    }

private:
    raw_socket* from_;
    char* buffer_;
    std::size_t size_;
    ssize_t got_ = -1;
};

raw::child receive_once(raw_socket& from, char* buffer, std::size_t& total) {
    const ssize_t got = co_await receive{from, buffer, 64};
    total += got > 0 ? static_cast<std::size_t>(got) : 0;
}

void M7_receive_bytes(State& state) {
    constexpr std::size_t pairs = 4000;  // 8000 descriptors
    const raw::fresh_frames fresh;
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    std::vector<raw_socket> sockets(pairs);
    std::vector<int> peers;
    for (raw_socket& socket : sockets) {
        std::array<int, 2> ends{};
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) != 0) {
            state.SkipWithError("socketpair: no more descriptors (see ulimit -n)");
            break;
        }
        socket.fd = ends[0];
        peers.push_back(ends[1]);
        epoll_event wanted{.events = EPOLLIN | EPOLLET, .data = {.ptr = &socket}};
        epoll_ctl(epoll, EPOLL_CTL_ADD, socket.fd, &wanted);
    }
    for (auto _ : state) {
        std::array<char, 64> buffer{};
        std::size_t total = 0;
        const std::size_t before = measure::live_bytes;
        raw::group children;
        for (raw_socket& socket : sockets) {
            raw::spawn(children, receive_once(socket, buffer.data(), total));
        }
        raw::run_ready();
        measure::report_bytes(state, measure::live_bytes - before, pairs);
        // Let each receive its byte: the proof that they were waiting in a receive.
        for (const int peer : peers) {
            [[maybe_unused]] const ssize_t sent = ::write(peer, "x", 1);
        }
        while (children.running != 0) {
            std::array<epoll_event, 256> events{};
            const int count = epoll_wait(epoll, events.data(), events.size(), 1000);
            for (int i = 0; i < count; ++i) {
                auto* socket =
                    static_cast<raw_socket*>(events[std::size_t(i)].data.ptr);
                raw::ready.push(*std::exchange(socket->reader, nullptr));
            }
            raw::run_ready();
        }
        if (total != pairs) {
            state.SkipWithError("a receive got nothing");
        }
    }
    for (std::size_t i = 0; i < peers.size(); ++i) {
        ::close(sockets[i].fd);
        ::close(peers[i]);
    }
    ::close(epoll);
}

BENCHMARK(M7_receive_bytes)->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
