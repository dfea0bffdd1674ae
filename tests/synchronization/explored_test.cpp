// SPDX-License-Identifier: MIT
// Small scenarios in every order of their steps, with a task cancelled before each of them.
#include "support/explored.hpp"

#include "support/anyio_test.hpp"

using namespace anyio;
using anyio::testing::explorer;
using support::explore_all;

namespace {

/// Counts who is inside, however they leave.
class visit {
public:
    explicit visit(int& inside) : inside_(inside) { ++inside_; }

    ~visit() { --inside_; }

    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;

private:
    int& inside_;
};

}  // namespace

ANYIO_TEST(explored, a_lock_has_one_owner_and_forgets_none_who_wait) {
    auto scenario = [](explorer& x) -> task<> {
        lock mutex;
        int inside = 0;
        int done = 0;
        auto use = [&]() -> task<> {
            co_await lowlevel::checkpoint();
            auto held = co_await mutex.hold();
            const visit here(inside);
            EXPECT_EQ(inside, 1);
            co_await lowlevel::checkpoint();
            ++done;
        };
        auto use_and_be_cancelled = [&]() -> task<> { co_await with(x.victim(), use); };
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(use);
            tg.start_soon(use_and_be_cancelled);
            tg.start_soon(use);
        });
        EXPECT_GE(done, 2);
        EXPECT_FALSE(mutex.locked());
        EXPECT_EQ(mutex.statistics().tasks_waiting, 0u);
    };
    co_await explore_all(scenario);
}

ANYIO_TEST(explored, a_lock_that_was_handed_over_is_not_lost_by_a_cancellation) {
    auto scenario = [](explorer& x) -> task<> {
        lock mutex;
        mutex.acquire_nowait();
        int got = 0;
        auto wait = [&]() -> task<> {
            auto held = co_await mutex.hold();
            ++got;
        };
        auto wait_and_be_cancelled = [&]() -> task<> {
            co_await with(x.victim(), wait);
        };
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon(wait_and_be_cancelled);
            tg.start_soon(wait_and_be_cancelled);
            tg.start_soon(wait);
            co_await lowlevel::checkpoint();
            mutex.release();
        });
        EXPECT_GE(got, 1);
        EXPECT_TRUE(mutex.try_acquire());
        mutex.release();
    };
    co_await explore_all(scenario);
}

namespace {

/// Four tasks share two permits; one of them is cancelled.
auto semaphore_scenario(bool fast) {
    return [fast](explorer& x) -> task<> {
        semaphore permits(2, {.fast_acquire = fast});
        int inside = 0;
        int done = 0;
        auto use = [&]() -> task<> {
            auto held = co_await permits.hold();
            const visit here(inside);
            EXPECT_LE(inside, 2);
            co_await lowlevel::checkpoint();
            ++done;
        };
        auto use_and_be_cancelled = [&]() -> task<> { co_await with(x.victim(), use); };
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(use);
            tg.start_soon(use_and_be_cancelled);
            tg.start_soon(use);
            tg.start_soon(use);
        });
        EXPECT_GE(done, 3);
        EXPECT_EQ(permits.value(), 2u);
        EXPECT_EQ(permits.statistics().tasks_waiting, 0u);
    };
}

}  // namespace

ANYIO_TEST(explored, a_semaphore_keeps_its_permits) {
    auto scenario = semaphore_scenario(false);
    co_await explore_all(scenario);
}

ANYIO_TEST(explored, a_fast_semaphore_keeps_its_permits) {
    auto scenario = semaphore_scenario(true);
    co_await explore_all(scenario);
}

ANYIO_TEST(explored, a_limiter_that_is_resized_grants_what_it_has) {
    auto scenario = [](explorer& x) -> task<> {
        capacity_limiter limiter(1);
        int inside = 0;
        int done = 0;
        auto use = [&]() -> task<> {
            co_await lowlevel::checkpoint();
            auto held = co_await limiter.hold();
            const visit here(inside);
            EXPECT_LE(inside, 2);
            co_await lowlevel::checkpoint();
            ++done;
        };
        auto use_and_be_cancelled = [&]() -> task<> { co_await with(x.victim(), use); };
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(use);
            tg.start_soon(use_and_be_cancelled);
            tg.start_soon([&]() -> task<> {
                limiter.set_total_tokens(2);
                if (limiter.try_acquire()) {
                    EXPECT_LE(limiter.borrowed_tokens(), 2u);
                    limiter.release();
                }
                co_await lowlevel::checkpoint();
                limiter.set_total_tokens(1);
            });
        });
        EXPECT_GE(done, 1);
        EXPECT_EQ(limiter.borrowed_tokens(), 0u);
        EXPECT_EQ(limiter.statistics().tasks_waiting, 0u);
    };
    co_await explore_all(scenario);
}

// A cancelled waiter must not keep a notification that another one could have had.
ANYIO_TEST(explored, a_condition_loses_no_notification) {
    auto scenario = [](explorer& x) -> task<> {
        condition changed;
        int items = 0;
        int taken = 0;
        auto take = [&]() -> task<> {
            co_await lowlevel::checkpoint();
            auto held = co_await changed.hold();
            while (items == 0)
                co_await changed.wait();
            --items;
            ++taken;
        };
        auto take_or_be_cancelled = [&]() -> task<> {
            co_await with(x.victim(), take);
        };
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(take_or_be_cancelled);
            tg.start_soon(take);
            tg.start_soon([&]() -> task<> {
                for (int i = 0; i < 2; ++i) {
                    auto held = co_await changed.hold();
                    ++items;
                    changed.notify();
                    co_await lowlevel::checkpoint();
                }
            });
        });
        EXPECT_EQ(items + taken, 2);
        EXPECT_GE(taken, 1);
        EXPECT_FALSE(changed.locked());
    };
    co_await explore_all(scenario);
}

ANYIO_TEST(explored, an_event_wakes_all_who_wait_and_stops_nobody_after) {
    auto scenario = [](explorer& x) -> task<> {
        event ready;
        int woken = 0;
        auto wait = [&]() -> task<> {
            co_await lowlevel::checkpoint();
            co_await ready.wait();
            EXPECT_TRUE(ready.is_set());
            ++woken;
            co_await lowlevel::checkpoint();
            co_await ready.wait();
        };
        auto wait_or_be_cancelled = [&]() -> task<> {
            co_await with(x.victim(), wait);
        };
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(wait);
            tg.start_soon(wait_or_be_cancelled);
            tg.start_soon([&]() -> task<> {
                co_await lowlevel::checkpoint();
                ready.set();
            });
        });
        EXPECT_GE(woken, 1);
        EXPECT_EQ(ready.statistics().tasks_waiting, 0u);
    };
    co_await explore_all(scenario);
}

ANYIO_TEST(explored, a_future_gives_its_value_to_all_who_are_not_cancelled) {
    auto scenario = [](explorer& x) -> task<> {
        future<int> answer;
        int got = 0;
        auto wait = [&]() -> task<> {
            co_await lowlevel::checkpoint();
            const int value = co_await answer;
            EXPECT_EQ(value, 42);
            ++got;
        };
        auto wait_or_be_cancelled = [&]() -> task<> {
            co_await with(x.victim(), wait);
        };
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(wait);
            tg.start_soon(wait_or_be_cancelled);
            tg.start_soon([&]() -> task<> {
                co_await lowlevel::checkpoint();
                answer.set_value(42);
            });
        });
        EXPECT_GE(got, 1);
    };
    co_await explore_all(scenario);
}
