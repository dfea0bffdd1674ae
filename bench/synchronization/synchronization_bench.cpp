// SPDX-License-Identifier: MIT
/// @file
/// What the primitives cost, each beside the least that can do the same on the raw runtime
/// of bench/raw: no cancellation, no fairness to others, no owner, nothing checked.

#include <anyio/anyio.hpp>
#include "../raw/measure.hpp"
#include "../raw/raw_wait.hpp"

#include <benchmark/benchmark.h>

#include <cstdint>

namespace {

using anyio::task;
using anyio::task_group;
using benchmark::State;

constexpr int rounds = 10'000;

/// A raw semaphore, and so a raw lock: a count and a queue, handing over.
class raw_semaphore {
public:
    explicit raw_semaphore(std::int64_t value) noexcept : value_(value) {}

    struct acquire_operation : raw::wait_base<acquire_operation> {
        explicit acquire_operation(raw_semaphore& wanted) noexcept : wanted_(&wanted) {}

        bool await_ready() noexcept {
            if (wanted_->value_ == 0)
                return false;
            --wanted_->value_;
            return true;
        }

        void enqueue(raw::promise_base& waiter) noexcept {
            wanted_->waiters_.push(waiter);
        }

    private:
        raw_semaphore* wanted_;
    };

    [[nodiscard]] acquire_operation acquire() noexcept {
        return acquire_operation(*this);
    }

    void release() noexcept {
        raw::promise_base* const next = waiters_.first;
        if (!next) {
            ++value_;
            return;
        }
        waiters_.first = next->next;
        raw::ready.push(*next);
    }

private:
    std::int64_t value_;
    raw::queue waiters_;
};

// Uncontended: acquire, release.

raw::child raw_uncontended(State& state) {
    raw_semaphore lock(1);
    for (auto _ : state)
        for (int i = 0; i < rounds; ++i) {
            co_await lock.acquire();
            benchmark::ClobberMemory();
            lock.release();
        }
}

void raw_lock_uncontended(State& state) {
    raw::run(raw_uncontended(state));
    measure::report(state, state.iterations() * rounds);
}

template <class Primitive>
task<> hold_often(State& state, Primitive& primitive) {
    for (auto _ : state)
        for (int i = 0; i < rounds; ++i) {
            const auto held = co_await primitive.hold();
            benchmark::ClobberMemory();
        }
}

template <class Primitive, class... Options>
void uncontended(State& state, Options... options) {
    Primitive primitive(options...);
    anyio::run(hold_often<Primitive>, std::ref(state), std::ref(primitive));
    measure::report(state, state.iterations() * rounds);
}

void lock_uncontended(State& state) {
    uncontended<anyio::lock>(state);
}

void lock_uncontended_fast(State& state) {
    uncontended<anyio::lock>(state, anyio::lock_options{.fast_acquire = true});
}

void semaphore_uncontended(State& state) {
    uncontended<anyio::semaphore>(state, std::size_t{1});
}

void limiter_uncontended(State& state) {
    uncontended<anyio::capacity_limiter>(state, std::size_t{1});
}

BENCHMARK(raw_lock_uncontended);
BENCHMARK(lock_uncontended);
BENCHMARK(lock_uncontended_fast);
BENCHMARK(semaphore_uncontended);
BENCHMARK(limiter_uncontended);

// Handed over: two tasks, each gives it to the other and waits for it, so that each unit
// is one release, one wait and one switch.

raw::child raw_hand_over_often(raw_semaphore& lock) {
    for (int i = 0; i < rounds; ++i) {
        co_await lock.acquire();
        co_await raw::yield{};
        lock.release();
    }
}

raw::child raw_both_hand_over(State& state) {
    for (auto _ : state) {
        raw_semaphore lock(1);
        raw::group children;
        raw::spawn(children, raw_hand_over_often(lock));
        raw::spawn(children, raw_hand_over_often(lock));
        co_await raw::join{children};
    }
}

void raw_lock_handed_over(State& state) {
    raw::run(raw_both_hand_over(state));
    measure::report(state, state.iterations() * rounds * 2);
}

template <class Primitive>
task<> hand_over_often(Primitive& primitive) {
    for (int i = 0; i < rounds; ++i) {
        const auto held = co_await primitive.hold();
        co_await anyio::lowlevel::checkpoint();  // the other comes to wait
    }
}

template <class Primitive>
task<> both_hand_over(State& state, Primitive& primitive) {
    for (auto _ : state)
        co_await anyio::with(anyio::create_task_group(), [&](task_group& tg) {
            tg.start_soon(hand_over_often<Primitive>, std::ref(primitive));
            tg.start_soon(hand_over_often<Primitive>, std::ref(primitive));
        });
}

template <class Primitive, class... Options>
void handed_over(State& state, Options... options) {
    Primitive primitive(options...);
    anyio::run(both_hand_over<Primitive>, std::ref(state), std::ref(primitive));
    measure::report(state, state.iterations() * rounds * 2);
}

void lock_handed_over(State& state) {
    handed_over<anyio::lock>(state);
}

void semaphore_handed_over(State& state) {
    handed_over<anyio::semaphore>(state, std::size_t{1});
}

void limiter_handed_over(State& state) {
    handed_over<anyio::capacity_limiter>(state, std::size_t{1});
}

BENCHMARK(raw_lock_handed_over);
BENCHMARK(lock_handed_over);
BENCHMARK(semaphore_handed_over);
BENCHMARK(limiter_handed_over);

// Two tasks that notify each other through a condition, in turns.

task<> take_turns(anyio::condition& changed, std::int64_t& turn, std::int64_t mine) {
    const auto held = co_await changed.hold();
    for (int i = 0; i < rounds; ++i) {
        co_await changed.wait_for([&] { return turn % 2 == mine; });
        ++turn;
        changed.notify();
    }
}

void condition_turns(State& state) {
    anyio::run([&]() -> task<> {
        for (auto _ : state) {
            anyio::condition changed;
            std::int64_t turn = 0;
            co_await anyio::with(anyio::create_task_group(), [&](task_group& tg) {
                for (const std::int64_t mine : {0, 1})
                    tg.start_soon(take_turns, std::ref(changed), std::ref(turn), mine);
            });
        }
    });
    measure::report(state, state.iterations() * rounds * 2);
}

BENCHMARK(condition_turns);

// A future that one task sets while another waits.

task<> wait_for_futures(std::optional<anyio::future<int>>& next) {
    for (int i = 0; i < rounds; ++i) {
        const int& value = co_await *next;
        benchmark::DoNotOptimize(value);
        next.emplace();
    }
}

task<> set_futures(std::optional<anyio::future<int>>& next) {
    for (int i = 0; i < rounds; ++i) {
        co_await anyio::lowlevel::checkpoint();
        next->set_value(i);
    }
}

void future_set_and_wait(State& state) {
    anyio::run([&]() -> task<> {
        for (auto _ : state) {
            std::optional<anyio::future<int>> next(std::in_place);
            co_await anyio::with(anyio::create_task_group(), [&](task_group& tg) {
                tg.start_soon(wait_for_futures, std::ref(next));
                tg.start_soon(set_futures, std::ref(next));
            });
        }
    });
    measure::report(state, state.iterations() * rounds);
}

BENCHMARK(future_set_and_wait);

// The gather family: 1000 tasks that yield once, beside a task group that does the same.

constexpr int many = 1000;

task<int> yield_once(int n) {
    co_await anyio::lowlevel::checkpoint();
    co_return n;
}

void group_of_1000(State& state) {
    anyio::run([&]() -> task<> {
        for (auto _ : state)
            co_await anyio::with(anyio::create_task_group(), [](task_group& tg) {
                for (int i = 0; i < many; ++i)
                    tg.start_soon(yield_once, i);
            });
    });
    measure::report(state, state.iterations() * many);
}

void gather_1000(State& state) {
    anyio::run([&]() -> task<> {
        for (auto _ : state) {
            std::vector<task<int>> tasks;
            tasks.reserve(many);
            for (int i = 0; i < many; ++i)
                tasks.push_back(yield_once(i));
            const auto results = co_await anyio::gather(std::move(tasks));
            benchmark::DoNotOptimize(results.data());
        }
    });
    measure::report(state, state.iterations() * many);
}

void amap_1000(State& state, std::size_t limit) {
    anyio::run([&]() -> task<> {
        const std::vector<int> items(many, 1);
        for (auto _ : state) {
            const auto results =
                co_await anyio::amap(items, yield_once, {.limit = limit});
            benchmark::DoNotOptimize(results.data());
        }
    });
    measure::report(state, state.iterations() * many);
}

void as_completed_1000(State& state) {
    anyio::run([&]() -> task<> {
        for (auto _ : state) {
            std::vector<task<int>> tasks;
            tasks.reserve(many);
            for (int i = 0; i < many; ++i)
                tasks.push_back(yield_once(i));
            co_await anyio::with(
                anyio::as_completed(std::move(tasks)),
                [](anyio::completed_tasks<int>& done) -> task<> {
                    while (auto finished = co_await done.next())
                        benchmark::DoNotOptimize(finished->result());
                }
            );
        }
    });
    measure::report(state, state.iterations() * many);
}

BENCHMARK(group_of_1000);
BENCHMARK(gather_1000);
BENCHMARK_CAPTURE(amap_1000, unlimited, anyio::amap_options::unlimited);
BENCHMARK_CAPTURE(amap_1000, limit_10, std::size_t{10});
BENCHMARK(as_completed_1000);

}  // namespace

BENCHMARK_MAIN();
