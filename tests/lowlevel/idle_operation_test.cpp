// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/idle_operation.hpp>

#include "support/anyio_test.hpp"

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;

ANYIO_TEST(
    wait_all_tasks_blocked, returns_when_every_other_task_is_blocked_and_not_before
) {
    int turns = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int i = 0; i < 3; ++i) {
            tg.start_soon([&]() -> task<> {
                for (int t = 0; t < 100; ++t) {
                    ++turns;
                    co_await lowlevel::checkpoint();
                }
                co_await sleep_forever();
            });
        }
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(turns, 300);
        tg.cancel();
    });
}

ANYIO_TEST(wait_all_tasks_blocked, comes_before_a_virtual_clock_jumps) {
    bool slept = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await sleep(1ns);
            slept = true;
        });
        co_await wait_all_tasks_blocked();
        EXPECT_FALSE(slept);
        EXPECT_EQ(current_time(), time_point());
    });
    EXPECT_TRUE(slept);
}

ANYIO_TEST(wait_all_tasks_blocked, lets_a_task_whose_scope_has_expired_end_first) {
    bool ended = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(move_on_after(0s), []() -> task<> {
                co_await sleep_forever();
            });
            ended = true;
        });
        co_await wait_all_tasks_blocked();
        EXPECT_TRUE(ended);
    });
}

ANYIO_TEST(wait_all_tasks_blocked, wakes_one_of_several_waiters_at_a_time_in_order) {
    std::vector<int> order;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int i = 0; i < 3; ++i) {
            tg.start_soon([&, i]() -> task<> {
                co_await wait_all_tasks_blocked();
                order.push_back(i);
                co_await lowlevel::checkpoint();
                co_await lowlevel::checkpoint();
                order.push_back(i);
            });
        }
        co_return;
    });
    EXPECT_THAT(order, ElementsAre(0, 0, 1, 1, 2, 2));
}

ANYIO_TEST(wait_all_tasks_blocked, is_cancelled_like_any_wait) {
    bool other = false;
    cancel_scope scope;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            const bool finished = co_await with(scope, []() -> task<> {
                co_await wait_all_tasks_blocked();
            });
            EXPECT_FALSE(finished);
        });
        tg.start_soon([&]() -> task<> {
            co_await wait_all_tasks_blocked();
            other = true;
        });
        co_await lowlevel::checkpoint();
        scope.cancel();
    });
    EXPECT_TRUE(other);
    const bool alone = co_await move_on_after(0s, wait_all_tasks_blocked());
    EXPECT_FALSE(alone);
}

ANYIO_TEST(wait_all_tasks_blocked, alone_returns) {
    co_await wait_all_tasks_blocked();
}
