// SPDX-License-Identifier: MIT
#include <anyio/testing/explore.hpp>

#include "support/anyio_test.hpp"

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
