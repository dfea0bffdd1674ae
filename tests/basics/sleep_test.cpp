// SPDX-License-Identifier: MIT
#include <anyio/basics/sleep.hpp>

#include "support/anyio_test.hpp"

#include <string>
#include <vector>

using namespace std::chrono_literals;
using anyio::create_task_group;
using anyio::current_time;
using anyio::sleep;
using anyio::sleep_until;
using anyio::task;
using anyio::task_group;
using anyio::with;
using testing::ElementsAre;

ANYIO_TEST(sleep, waits_as_long_as_it_is_told) {
    const auto begin = current_time();
    co_await sleep(90min);
    EXPECT_EQ(current_time() - begin, 90min);
    co_await sleep(1ns);
    EXPECT_EQ(current_time() - begin, 90min + 1ns);
}

ANYIO_TEST(sleep, lets_the_earliest_deadline_come_first) {
    std::vector<int> order;
    auto sleeper = [&](int seconds) -> task<> {
        co_await sleep(std::chrono::seconds(seconds));
        order.push_back(seconds);
    };
    co_await with(create_task_group(), [&](task_group& tg) {
        for (const int seconds : {5, 1, 4, 2, 3})
            tg.start_soon(sleeper, seconds);
    });
    EXPECT_THAT(order, ElementsAre(1, 2, 3, 4, 5));
}

namespace {

// What happens in a checkpoint: others run once, and time does not pass.
template <class Wait>
task<> expect_checkpoint(Wait wait) {
    std::vector<std::string> log;
    const auto begin = current_time();
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            log.push_back("other");
            co_await anyio::lowlevel::checkpoint();
            log.push_back("other again");
        });
        log.push_back("before");
        co_await wait();
        log.push_back("after");
    });
    EXPECT_THAT(log, ElementsAre("before", "other", "after", "other again"));
    EXPECT_EQ(current_time(), begin);

    bool went_on = false;
    const bool completed = co_await with(anyio::move_on_after(0s), [&]() -> task<> {
        co_await wait();
        went_on = true;
    });
    EXPECT_FALSE(completed);
    EXPECT_FALSE(went_on);
}

}  // namespace

ANYIO_TEST(sleep, for_zero_is_a_checkpoint) {
    co_await expect_checkpoint([] { return sleep(0s); });
}

ANYIO_TEST(sleep, for_less_than_zero_is_a_checkpoint) {
    co_await expect_checkpoint([] { return sleep(-1s); });
}

ANYIO_TEST(sleep, until_a_time_that_has_passed_is_a_checkpoint) {
    co_await sleep(1s);
    co_await expect_checkpoint([] { return sleep_until(current_time() - 1s); });
    co_await expect_checkpoint([] { return sleep_until(current_time()); });
}

ANYIO_TEST(sleep, until_a_time_ends_then) {
    const auto deadline = current_time() + 3s;
    co_await sleep(1s);
    co_await sleep_until(deadline);
    EXPECT_EQ(current_time(), deadline);
}

ANYIO_TEST(sleep, for_ever_ends_by_cancellation_only) {
    const auto begin = current_time();
    const bool completed = co_await anyio::move_on_after(24h, anyio::sleep_forever());
    EXPECT_FALSE(completed);
    EXPECT_EQ(current_time() - begin, 24h);
}

ANYIO_TEST(sleep, for_as_long_as_there_is_does_not_overflow) {
    const bool completed = co_await anyio::move_on_after(1s, sleep(anyio::forever));
    EXPECT_FALSE(completed);
    const bool until = co_await anyio::move_on_after(1s, sleep_until(anyio::never));
    EXPECT_FALSE(until);
    const bool hours = co_await anyio::move_on_after(1s, sleep(2'000'000h));
    EXPECT_FALSE(hours);
}

ANYIO_TEST(sleep, ends_at_once_when_it_is_cancelled) {
    const auto begin = current_time();
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        for (int i = 1; i <= 10; ++i)
            tg.start_soon([i]() -> task<> { co_await sleep(std::chrono::hours(i)); });
        co_await sleep(1s);
        tg.cancel();
    });
    EXPECT_EQ(current_time() - begin, 1s);
}

TEST(sleep, outside_of_a_run_is_refused) {
    EXPECT_THROW((void)sleep(1s), anyio::no_event_loop_error);
    EXPECT_THROW((void)current_time(), anyio::no_event_loop_error);
}

// The only test here that takes real time: 1 ms.
TEST(sleep, takes_at_least_its_time_on_the_real_clock) {
    const auto elapsed = anyio::run([]() -> task<anyio::duration> {
        const auto begin = current_time();
        co_await sleep(1ms);
        co_return current_time() - begin;
    });
    EXPECT_GE(elapsed, 1ms);
}
