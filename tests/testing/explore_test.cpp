// SPDX-License-Identifier: MIT
#include <anyio/testing/explore.hpp>

#include "support/anyio_test.hpp"

#include <gtest/gtest-spi.h>

#include <set>
#include <sstream>
#include <string>

using namespace anyio;
using anyio::testing::exploration;
using anyio::testing::explore;
using anyio::testing::explorer;

namespace {

/// The letters of tasks, one for each of their steps.
auto writers(std::set<std::string>& logs, int tasks, int steps) {
    return [&logs, tasks, steps](explorer&) -> task<> {
        std::string log;
        auto write = [&](char letter) -> task<> {
            for (int i = 1; i < steps; ++i) {
                log += letter;
                co_await lowlevel::checkpoint();
            }
            log += letter;
        };
        co_await with(create_task_group(), [&](task_group& tg) {
            for (int i = 0; i < tasks; ++i)
                tg.start_soon(write, static_cast<char>('a' + i));
        });
        EXPECT_TRUE(logs.insert(log).second) << log << " came twice";
    };
}

}  // namespace

// (steps in all)! / (steps of one)! ^ tasks
ANYIO_TEST(explore, sees_every_order_of_steps_once) {
    std::set<std::string> logs;
    auto two_by_three = writers(logs, 2, 3);
    auto seen = co_await explore(two_by_three);
    EXPECT_TRUE(seen.complete);
    EXPECT_EQ(seen.schedules, 20u);
    EXPECT_EQ(logs.size(), 20u);

    logs.clear();
    auto three_by_four = writers(logs, 3, 4);
    seen = co_await explore(three_by_four);
    EXPECT_TRUE(seen.complete);
    EXPECT_EQ(seen.schedules, 34650u);
    EXPECT_EQ(logs.size(), 34650u);
}

ANYIO_TEST(explore, begins_with_first_come_first_served) {
    std::vector<std::string> logs;
    auto scenario = [&](explorer&) -> task<> {
        std::string& log = logs.emplace_back();
        co_await with(create_task_group(), [&](task_group& tg) {
            for (char letter = 'a'; letter < 'd'; ++letter)
                tg.start_soon([&log, letter]() -> task<> {
                    log += letter;
                    co_return;
                });
        });
    };
    co_await explore(scenario);
    EXPECT_EQ(logs.size(), 6u);
    EXPECT_EQ(logs.front(), "abc");
    EXPECT_EQ(logs.back(), "cba");
}

ANYIO_TEST(explore, finds_the_order_that_loses_an_update) {
    std::set<int> totals;
    auto scenario = [&](explorer&) -> task<> {
        int total = 0;
        auto add_one = [&]() -> task<> {
            const int before = total;
            co_await lowlevel::checkpoint();
            total = before + 1;
        };
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(add_one);
            tg.start_soon(add_one);
        });
        totals.insert(total);
    };
    co_await explore(scenario);
    EXPECT_EQ(totals, (std::set{1, 2}));
}

ANYIO_TEST(explore, cancels_a_victim_before_each_of_its_steps_and_never) {
    std::multiset<int> reached;
    auto scenario = [&](explorer& x) -> task<> {
        int steps = 0;
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon([&]() -> task<> {
                co_await with(x.victim(), [&]() -> task<> {
                    for (; steps < 3; ++steps)
                        co_await lowlevel::checkpoint();
                });
            });
        });
        reached.insert(steps);
    };
    const auto seen = co_await explore(scenario);
    EXPECT_TRUE(seen.complete);
    // After its end there is one more step, in which a cancellation comes too late.
    EXPECT_EQ(reached, (std::multiset{0, 1, 2, 3, 3}));
}

// w: begins to wait; a, b: the other task's steps, the second of which ends the wait; r, c:
// the wait has returned, or was cancelled. By hand: who has been cancelled may run at once.
ANYIO_TEST(explore, lets_a_cancelled_task_be_the_next_to_run) {
    std::set<std::string> logs;
    auto scenario = [&](explorer& x) -> task<> {
        std::string log;
        event done;
        auto waits = [&]() -> task<> {
            log += 'w';
            auto wait = [&]() -> task<> { co_await done.wait(); };
            const bool returned = co_await with(x.victim(), wait);
            log += returned ? 'r' : 'c';
        };
        auto works = [&]() -> task<> {
            log += 'a';
            co_await lowlevel::checkpoint();
            log += 'b';
            done.set();
        };
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(waits);
            tg.start_soon(works);
        });
        logs.insert(log);
    };
    const auto seen = co_await explore(scenario);
    EXPECT_TRUE(seen.complete) << seen;
    EXPECT_THAT(
        logs,
        ::testing::UnorderedElementsAre(
            "wabr", "wabc", "wacb", "wcab", "awbr", "awbc", "awcb", "abwr"
        )
    );
}

TEST(explore, tells_the_schedule_that_ends_in_a_deadlock) {
    const auto deadlocks = [](explorer&) -> task<> {
        event first, second;
        bool second_is_set = false;
        auto sets = [&]() -> task<> {
            second_is_set = true;
            co_return;
        };
        auto waits = [&]() -> task<> {
            if (second_is_set)
                co_await first.wait();
        };
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(waits);
            tg.start_soon(sets);
        });
    };
    const auto main_task = [&]() -> task<> { co_await explore(deadlocks); };
    const auto deadlock = [&] { EXPECT_THROW(run(main_task), deadlock_error); };
    EXPECT_NONFATAL_FAILURE(deadlock(), "in schedule 2; to run it alone: ANYIO_TAPE=1");
}

TEST(explore, is_not_blamed_for_what_failed_before) {
    const auto main_task = []() -> task<> {
        ADD_FAILURE() << "before";
        const auto seen = co_await explore([](explorer&) -> task<> { co_return; });
        EXPECT_TRUE(seen.complete);
    };
    // In a process of its own, whose status tells how many failures there were: one, and no
    // second that names a schedule.
    const auto count_failures = [&] {
        run(main_task);
        const auto& result =
            *::testing::UnitTest::GetInstance()->current_test_info()->result();
        std::_Exit(result.total_part_count());
    };
    EXPECT_EXIT(count_failures(), ::testing::ExitedWithCode(1), "");
}

ANYIO_TEST(explore, makes_every_choice_of_the_scenario) {
    std::vector<std::size_t> picked;
    auto scenario = [&](explorer& x) -> task<> {
        picked.push_back(10 * x.pick(2) + x.pick(3));
        co_return;
    };
    const auto seen = co_await explore(scenario);
    EXPECT_TRUE(seen.complete);
    EXPECT_THAT(picked, ::testing::ElementsAre(0, 1, 2, 10, 11, 12));
}

ANYIO_TEST(explore, stops_when_it_was_told_to) {
    std::set<std::string> logs;
    auto scenario = writers(logs, 3, 4);
    const auto seen = co_await explore(scenario, {.most_schedules = 100});
    EXPECT_FALSE(seen.complete);
    EXPECT_EQ(seen.schedules, 100u);
    std::ostringstream text;
    text << seen << "; " << exploration{2, true};
    EXPECT_EQ(
        text.str(),
        "explored 100 schedules, not complete; explored 2 schedules, complete"
    );
}

ANYIO_TEST(explore, leaves_the_order_of_what_follows_alone_when_it_is_cut_short) {
    auto endless = [](explorer&) -> task<> {
        co_await with(create_task_group(), [](task_group& tg) {
            tg.start_soon(sleep_forever);
            tg.start_soon(sleep_forever);
        });
    };
    const auto seen = co_await move_on_after(std::chrono::seconds(1), explore(endless));
    EXPECT_FALSE(seen);
    std::string log;
    co_await with(create_task_group(), [&](task_group& tg) {
        for (char letter = 'a'; letter < 'f'; ++letter)
            tg.start_soon([&log, letter]() -> task<> {
                log += letter;
                co_return;
            });
    });
    EXPECT_EQ(log, "abcde");
}
