// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/sleep_operation.hpp>

#include "support/anyio_test.hpp"

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

/// How many tasks that are ready run while `wait` is awaited.
template <class Wait>
task<int> others_run_during(Wait wait) {
    int ran = 0;
    int result = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int i = 0; i < 3; ++i) {
            tg.start_soon([&]() -> task<> {
                for (;;) {
                    ++ran;
                    co_await lowlevel::checkpoint();
                }
            });
        }
        co_await wait();
        result = ran;
        tg.cancel();
    });
    co_return result;
}

}  // namespace

ANYIO_TEST(sleep, takes_as_long_as_it_says_on_the_clock_of_the_loop) {
    const time_point start = current_time();
    co_await sleep(90min);
    EXPECT_EQ(current_time() - start, 90min);
    co_await sleep(1ns);
    EXPECT_EQ(current_time() - start, 90min + 1ns);
    co_await sleep(1.5s);
    EXPECT_EQ(current_time() - start, 90min + 1ns + 1500ms);
}

ANYIO_TEST(sleep, of_zero_or_less_is_a_checkpoint) {
    const time_point start = current_time();
    const int zero = co_await others_run_during([] { return sleep(0s); });
    EXPECT_EQ(zero, 3);
    const int negative = co_await others_run_during([] { return sleep(-5s); });
    EXPECT_EQ(negative, 3);
    const int least = co_await others_run_during([] { return sleep(duration::min()); });
    EXPECT_EQ(least, 3);
    EXPECT_EQ(current_time(), start);
}

ANYIO_TEST(sleep, of_zero_in_a_cancelled_scope_unwinds) {
    int passed = 0;
    for (const duration length : {0ns, -1ns}) {
        co_await with(cancel_scope(), [&](cancel_scope& scope) -> task<> {
            scope.cancel();
            co_await sleep(length);
            ++passed;
        });
    }
    co_await with(cancel_scope(), [&](cancel_scope& scope) -> task<> {
        scope.cancel();
        co_await sleep_until(time_point::min());
        ++passed;
    });
    EXPECT_EQ(passed, 0);
}

ANYIO_TEST(sleep_until, a_moment_that_has_passed_is_a_checkpoint) {
    co_await sleep(1h);
    const time_point start = current_time();
    const int past =
        co_await others_run_during([&] { return sleep_until(start - 1s); });
    EXPECT_EQ(past, 3);
    const int now = co_await others_run_during([&] { return sleep_until(start); });
    EXPECT_EQ(now, 3);
    EXPECT_EQ(current_time(), start);
}

ANYIO_TEST(sleep_until, a_moment_to_come_wakes_at_that_moment) {
    const time_point start = current_time();
    co_await sleep_until(start + 7s);
    EXPECT_EQ(current_time() - start, 7s);
}

ANYIO_TEST(sleep_forever, ends_only_by_cancellation) {
    for (int i = 0; i < 2; ++i) {
        const time_point start = current_time();
        const bool finished =
            co_await move_on_after(1h, i == 0 ? sleep_forever() : sleep(forever));
        EXPECT_FALSE(finished);
        EXPECT_EQ(current_time() - start, 1h);
    }
}

ANYIO_TEST(sleep, wakes_tasks_in_the_order_of_their_deadlines) {
    std::vector<int> woken;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (const int seconds : {3, 1, 4, 2, 5}) {
            tg.start_soon([&, seconds]() -> task<> {
                co_await sleep(std::chrono::seconds(seconds));
                woken.push_back(seconds);
            });
        }
        co_return;
    });
    EXPECT_THAT(woken, ElementsAre(1, 2, 3, 4, 5));
}

ANYIO_TEST(sleep, wakes_all_tasks_of_one_deadline_at_the_same_time) {
    const time_point start = current_time();
    int woken = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int i = 0; i < 1'000; ++i) {
            tg.start_soon([&]() -> task<> {
                co_await sleep(1s);
                woken += current_time() - start == 1s;
            });
        }
        co_return;
    });
    EXPECT_EQ(woken, 1'000);
}

ANYIO_TEST(sleep, that_is_cancelled_leaves_no_timer_behind) {
    const std::size_t timers = lowlevel::this_loop->deadlines.size();
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int i = 0; i < 100; ++i)
            tg.start_soon([]() -> task<> { co_await sleep(1h); });
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(lowlevel::this_loop->deadlines.size(), timers + 100);
        tg.cancel();
        EXPECT_EQ(lowlevel::this_loop->deadlines.size(), timers);
    });
    EXPECT_EQ(current_time(), time_point()) << "nobody waited for the hour";
}

ANYIO_TEST(current_time, is_that_of_the_virtual_clock_in_tests) {
    EXPECT_EQ(current_time(), time_point(0s));
    co_await lowlevel::checkpoint();
    EXPECT_EQ(current_time(), time_point(0s)) << "work takes no time";
    co_await sleep(1s);
    EXPECT_EQ(current_time(), time_point(1s));
}

TEST(current_time, does_not_go_back_on_the_real_clock) {
    run([]() -> task<> {
        time_point last = current_time();
        for (int i = 0; i < 1'000; ++i) {
            co_await lowlevel::checkpoint();
            const time_point now = current_time();
            EXPECT_GE(now, last);
            last = now;
        }
    });
}

TEST(current_time, follows_a_virtual_clock_that_is_moved_by_hand) {
    anyio::testing::virtual_clock clock;
    run({.clock = &clock}, [&]() -> task<> {
        clock.advance(5s);
        EXPECT_EQ(current_time(), time_point(5s));
        co_await lowlevel::checkpoint();
        EXPECT_EQ(current_time(), time_point(5s));
    });
}

TEST(sleep, and_the_time_are_not_to_be_had_without_a_loop) {
    EXPECT_THAT(
        message_thrown_by<no_event_loop_error>([] { (void)sleep(1s); }),
        HasSubstr("sleep: no event loop runs in this thread; call it from a task")
    );
    EXPECT_THAT(
        message_thrown_by<no_event_loop_error>([] { (void)current_time(); }),
        HasSubstr("current_time: no event loop runs in this thread")
    );
}
