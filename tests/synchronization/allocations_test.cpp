// SPDX-License-Identifier: MIT
#include <anyio/synchronization/capacity_limiter.hpp>
#include <anyio/synchronization/condition.hpp>
#include <anyio/synchronization/event.hpp>
#include <anyio/synchronization/future.hpp>
#include <anyio/synchronization/lock.hpp>
#include <anyio/synchronization/resource_guard.hpp>
#include <anyio/synchronization/semaphore.hpp>
#include "support/anyio_test.hpp"
#include "support/replaced_new.hpp"

#include <optional>

// What the primitives cost in memory once they have been used: nothing.

using namespace anyio;
using support::allocations;

namespace {

/// Allocations that two tasks make which call `step(i)` often, in turns, after the first
/// rounds.
template <class Step>
task<std::size_t> allocations_of(Step step) {
    std::size_t counted = 0;
    auto repeat = [&](bool counts) -> task<> {
        for (int i = 0; i < 10; ++i)
            co_await step(i);
        const std::size_t before = allocations;
        for (int i = 0; i < 1000; ++i)
            co_await step(i);
        if (counts)
            counted = allocations - before;
    };
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(repeat, false);
        tg.start_soon(repeat, true);
    });
    co_return counted;
}

// Under sanitizers each coroutine frame is an allocation: those of step() itself.
constexpr std::size_t frames = ANYIO_SANITIZED ? 2'100 : 0;

}  // namespace

ANYIO_TEST(allocations, of_a_lock_are_none) {
    lock guarded;
    const std::size_t made = co_await allocations_of([&](int) -> task<> {
        const auto held = co_await guarded.hold();
        co_await lowlevel::checkpoint();  // the other one comes to wait
    });
    EXPECT_LE(made, frames);
}

ANYIO_TEST(allocations, of_a_semaphore_are_none) {
    semaphore permits(1);
    const std::size_t made = co_await allocations_of([&](int) -> task<> {
        const auto held = co_await permits.hold();
        co_await lowlevel::checkpoint();
    });
    EXPECT_LE(made, frames);
}

ANYIO_TEST(allocations, of_an_event_are_none) {
    std::optional<event> ready(std::in_place);
    int arrived = 0;
    const std::size_t made = co_await allocations_of([&](int) -> task<> {
        if (++arrived % 2 != 0) {
            co_await ready->wait();
        } else {
            ready->set();
            ready.emplace();
        }
    });
    EXPECT_LE(made, frames);
}

ANYIO_TEST(allocations, of_a_capacity_limiter_are_none) {
    capacity_limiter limiter(1);
    const std::size_t made = co_await allocations_of([&](int) -> task<> {
        const auto token = co_await limiter.hold();
        co_await lowlevel::checkpoint();
    });
    EXPECT_LE(made, frames);
}

ANYIO_TEST(allocations, of_a_condition_are_none) {
    condition changed;
    int turn = 0;
    const std::size_t made = co_await allocations_of([&](int) -> task<> {
        const auto held = co_await changed.hold();
        const int next = turn + 1;
        turn = next;
        changed.notify_all();
        if (next < 2000)
            co_await changed.wait_for([&] { return turn > next; });
    });
    EXPECT_LE(made, frames);
}

ANYIO_TEST(allocations, of_a_resource_guard_are_none) {
    resource_guard guard;
    const std::size_t made = co_await allocations_of([&](int) -> task<> {
        const auto use = guard.enter();
        co_return;
    });
    EXPECT_LE(made, frames);
}

ANYIO_TEST(allocations, of_a_future_without_a_name_are_none) {
    const std::size_t made = co_await allocations_of([&](int i) -> task<> {
        future<int> answer;
        answer.set_value(i);
        const int& value = co_await answer;
        EXPECT_EQ(value, i);
    });
    EXPECT_LE(made, frames);
}
