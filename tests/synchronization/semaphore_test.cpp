// SPDX-License-Identifier: MIT
#include <anyio/synchronization/semaphore.hpp>

#include "support/anyio_test.hpp"

#include <algorithm>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;

namespace {

/// Has a permit for a second; notes when it comes.
task<> user(semaphore& permits, std::vector<int>& order, int number) {
    const auto held = co_await permits.hold();
    order.push_back(number);
    co_await sleep(1s);
}

}  // namespace

ANYIO_TEST(semaphore, lets_so_many_in_at_a_time_in_the_order_in_which_they_came) {
    semaphore permits(2);
    int inside = 0;
    int most = 0;
    std::vector<int> order;
    const auto start = current_time();
    co_await with(create_task_group(), [&](task_group& tg) {
        for (int i = 0; i < 6; ++i)
            tg.start_soon([&, i]() -> task<> {
                const auto held = co_await permits.hold();
                most = std::max(most, ++inside);
                order.push_back(i);
                co_await sleep(1s);
                --inside;
            });
    });
    EXPECT_EQ(most, 2);
    EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4, 5));
    EXPECT_EQ(current_time() - start, 3s);
    EXPECT_EQ(permits.value(), 2u);
}

ANYIO_TEST(semaphore, counts) {
    semaphore permits(2);
    EXPECT_EQ(permits.max_value(), std::nullopt);
    co_await permits.acquire();
    EXPECT_EQ(permits.value(), 1u);
    permits.acquire_nowait();
    EXPECT_EQ(permits.value(), 0u);
    EXPECT_FALSE(permits.try_acquire());
    EXPECT_EQ(
        message_thrown_by<would_block>([&] { permits.acquire_nowait(); }),
        "semaphore::acquire_nowait: the value is 0"
    );
    for (int i = 0; i < 5; ++i)
        permits.release();
    EXPECT_EQ(permits.value(), 5u);
    EXPECT_TRUE(permits.try_acquire());
}

TEST(semaphore, refuses_values_that_make_no_sense) {
    EXPECT_EQ(
        message_thrown_by<usage_error>([] { semaphore s(2, {.max_value = 1}); }),
        "semaphore: the initial value 2 is more than max_value, 1"
    );
    EXPECT_EQ(
        message_thrown_by<usage_error>([] { semaphore s(static_cast<std::size_t>(-1)); }
        ),
        "semaphore: the initial value must not be negative"
    );
    semaphore zero(0);
    EXPECT_EQ(zero.value(), 0u);
}

TEST(semaphore, is_not_released_beyond_its_maximum) {
    semaphore permits(1, {.max_value = 2});
    EXPECT_EQ(permits.max_value(), 2u);
    permits.release();
    EXPECT_EQ(
        message_thrown_by<usage_error>([&] { permits.release(); }),
        "semaphore::release: the value is 2 already, which is max_value"
    );
    EXPECT_EQ(permits.value(), 2u);
}

ANYIO_TEST(semaphore, release_goes_to_the_next_waiter_so_that_nobody_overtakes) {
    semaphore permits(0, {.max_value = 1});
    std::vector<int> order;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon(user, std::ref(permits), std::ref(order), 1);
        tg.start_soon(user, std::ref(permits), std::ref(order), 2);
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(permits.statistics(), semaphore_statistics{2});
        permits.release();
        EXPECT_EQ(permits.value(), 0u);
        EXPECT_EQ(permits.statistics(), semaphore_statistics{1});
        EXPECT_FALSE(permits.try_acquire());
        EXPECT_TRUE(order.empty());
    });
    EXPECT_THAT(order, ElementsAre(1, 2));
    EXPECT_EQ(permits.value(), 1u);
}

ANYIO_TEST(semaphore, may_be_released_by_another_task) {
    semaphore permits(0);
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            permits.release();
            co_return;
        });
        co_await permits.acquire();
    });
    EXPECT_EQ(permits.value(), 0u);
}

ANYIO_TEST(semaphore, in_a_cancelled_scope_is_not_acquired) {
    semaphore permits(1);
    cancel_scope scope;
    co_await with(scope, [&]() -> task<> {
        scope.cancel();
        co_await permits.acquire();
        ADD_FAILURE();
    });
    EXPECT_EQ(permits.value(), 1u);
}

ANYIO_TEST(semaphore, lets_others_run_now_and_then_unless_it_is_fast) {
    for (const bool fast : {false, true}) {
        semaphore permits(1, {.fast_acquire = fast});
        bool other_ran = false;
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                other_ran = true;
                co_return;
            });
            for (int i = 0; i < 1000; ++i)
                const auto held = co_await permits.hold();
            EXPECT_EQ(other_ran, !fast);
        });
    }
}

// anyio #387, #1145: cancelled waiters kept the permit, or stood in the way.
ANYIO_TEST(semaphore, is_left_by_a_cancelled_waiter_wherever_it_stands) {
    for (std::size_t gone = 0; gone < 3; ++gone) {
        semaphore permits(0);
        std::vector<int> order;
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            std::vector<task_handle<>> waiters;
            for (int i = 0; i < 3; ++i)
                waiters.push_back(
                    tg.create_task(user, std::ref(permits), std::ref(order), i)
                );
            co_await wait_all_tasks_blocked();
            waiters[gone].cancel();
            permits.release();
        });
        std::vector<int> expected{0, 1, 2};
        expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(gone));
        EXPECT_EQ(order, expected);
        EXPECT_EQ(permits.value(), 1u);
    }
}

ANYIO_TEST(semaphore, permit_that_came_before_the_cancel_is_given_back) {
    semaphore permits(0);
    std::vector<int> order;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto doomed = tg.create_task(user, std::ref(permits), std::ref(order), 1);
        tg.start_soon(user, std::ref(permits), std::ref(order), 2);
        co_await wait_all_tasks_blocked();
        permits.release();
        doomed.cancel();
    });
    EXPECT_THAT(order, ElementsAre(1, 2));
    EXPECT_EQ(permits.value(), 1u);
}

ANYIO_TEST(semaphore, guards_may_be_moved_and_released_early) {
    semaphore permits(2);
    auto first = co_await permits.hold();
    auto second = co_await permits.hold();
    EXPECT_EQ(permits.value(), 0u);
    first.release();
    first.release();
    EXPECT_EQ(permits.value(), 1u);
    first = std::move(second);
    EXPECT_EQ(permits.value(), 1u);
}

// anyio: one that was made outside of a loop forgot its fast_acquire.
TEST(semaphore, made_outside_of_a_loop_is_fast_if_it_was_to_be) {
    semaphore permits(1, {.fast_acquire = true});
    run([&]() -> task<> {
        bool other_ran = false;
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                other_ran = true;
                co_return;
            });
            for (int i = 0; i < 1000; ++i)
                const auto held = co_await permits.hold();
            EXPECT_FALSE(other_ran);
        });
    });
}

TEST(semaphore, serves_one_loop_after_the_other) {
    semaphore permits(1);
    for (int i = 0; i < 3; ++i)
        run([&]() -> task<> { const auto held = co_await permits.hold(); });
    EXPECT_EQ(permits.value(), 1u);
}
