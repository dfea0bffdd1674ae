// SPDX-License-Identifier: MIT
#include <anyio/synchronization/event.hpp>

#include "support/anyio_test.hpp"

#include <optional>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;

ANYIO_TEST(event, wait_returns_at_once_when_it_is_set) {
    event ready;
    EXPECT_FALSE(ready.is_set());
    ready.set();
    const auto before = current_time();
    co_await ready.wait();
    EXPECT_EQ(current_time(), before);
}

TEST(event, may_be_made_and_set_before_a_loop_runs_and_serve_several) {
    event early;
    for (int i = 0; i < 2; ++i)
        run([&]() -> task<> {
            co_await with(create_task_group(), [&](task_group& tg) {
                tg.start_soon([&]() -> task<> { co_await early.wait(); });
                tg.start_soon([&]() -> task<> {
                    early.set();
                    co_return;
                });
            });
        });
    EXPECT_TRUE(early.is_set());
}

ANYIO_TEST(event, wait_of_a_set_event_is_a_checkpoint_of_a_cancelled_scope) {
    event ready;
    ready.set();
    bool passed = false;
    cancel_scope scope;
    co_await with(scope, [&]() -> task<> {
        scope.cancel();
        co_await ready.wait();
        passed = true;
    });
    EXPECT_FALSE(passed);
    EXPECT_TRUE(scope.cancelled_caught());
}

ANYIO_TEST(event, that_is_set_lets_others_run_now_and_then) {
    event ready;
    ready.set();
    bool other_ran = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            other_ran = true;
            co_return;
        });
        for (int i = 0; i < 10'000 && !other_ran; ++i)
            co_await ready.wait();
    });
    EXPECT_TRUE(other_ran);
}

ANYIO_TEST(event, a_cancelled_waiter_does_not_cost_the_others_their_wake_up) {
    event ready;
    std::vector<int> woken;
    auto waiter = [&](int number) -> task<> {
        co_await ready.wait();
        woken.push_back(number);
    };
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon(waiter, 1);
        auto doomed = tg.create_task(waiter, 2);
        tg.start_soon(waiter, 3);
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(ready.statistics(), event_statistics{3});
        doomed.cancel();
        EXPECT_EQ(ready.statistics(), event_statistics{2});
        ready.set();
    });
    EXPECT_THAT(woken, ElementsAre(1, 3));
}

ANYIO_TEST(event, may_be_set_by_a_waiter_that_is_being_unwound) {
    event first;
    event second;

    struct sets_when_it_goes {
        event& which;

        ~sets_when_it_goes() { which.set(); }
    };

    bool received = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto doomed = tg.create_task([&]() -> task<> {
            const sets_when_it_goes setter{second};
            co_await first.wait();
        });
        tg.start_soon([&]() -> task<> {
            co_await second.wait();
            received = true;
        });
        co_await wait_all_tasks_blocked();
        doomed.cancel();
    });
    EXPECT_TRUE(received);
}

ANYIO_TEST(event, waiters_time_out_alone) {
    event never_set;
    int timed_out = 0;
    co_await with(create_task_group(), [&](task_group& tg) {
        for (int i = 1; i <= 3; ++i)
            tg.start_soon([&, i]() -> task<> {
                const bool in_time = co_await move_on_after(i * 1s, never_set.wait());
                EXPECT_FALSE(in_time);
                ++timed_out;
                EXPECT_EQ(never_set.statistics().tasks_waiting, 3u - unsigned(i));
            });
    });
    EXPECT_EQ(timed_out, 3);
}

TEST(event_death, ends_the_program_if_it_goes_while_tasks_wait_for_it) {
    ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_DEATH(
        run([]() -> task<> {
            co_await with(create_task_group(), [](task_group& tg) -> task<> {
                event local;
                tg.start_soon([&]() -> task<> { co_await local.wait(); });
                co_await lowlevel::checkpoint();
            });
        }),
        "destroyed while 1 task was waiting"
    );
}
