// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/parking_lot.hpp>
#include "support/anyio_test.hpp"
#include "support/census.hpp"

#include <future>
#include <thread>

using namespace anyio;
using namespace std::chrono_literals;
using support::census;
using support::counted;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

namespace {

/// What the deadlock_error of a run says.
template <class F>
std::string deadlock_of(F main_task) {
    anyio::testing::virtual_clock clock;
    try {
        run({.clock = &clock}, main_task);
    } catch (const deadlock_error& e) {
        return e.what();
    }
    return "no deadlock";
}

}  // namespace

TEST(deadlock, of_the_main_task_alone_ends_the_run) {
    census people;
    const std::string report = deadlock_of([&]() -> task<> {
        const counted local(people);
        lowlevel::parking_lot lot;
        co_await lot.park();
        ADD_FAILURE();
    });
    EXPECT_THAT(report, HasSubstr("deadlock: every task is blocked"));
    EXPECT_THAT(report, HasSubstr("waiting in parking_lot::park"));
    EXPECT_TRUE(people.balanced());
    EXPECT_EQ(people.born(), 1);
}

TEST(deadlock, report_shows_the_tree_with_names_waits_and_source_lines) {
    std::uint_least32_t event_line = 0;
    std::uint_least32_t lot_line = 0;
    const std::string report = deadlock_of([&]() -> task<> {
        event never_set;
        lowlevel::parking_lot lot;
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon({.name = "reader"}, [&]() -> task<> {
                event_line = std::source_location::current().line() + 1;
                co_await never_set.wait();
            });
            tg.start_soon({.name = "parent"}, [&]() -> task<> {
                co_await with(create_task_group(), [&](task_group& inner) -> task<> {
                    inner.start_soon({.name = "child"}, [&]() -> task<> {
                        lot_line = std::source_location::current().line() + 1;
                        co_await lot.park();
                    });
                    co_return;
                });
            });
            co_await sleep_forever();
        });
    });
    const auto line = [](std::uint_least32_t number) {
        return "deadlock_test.cpp:" + std::to_string(number) + ")";
    };
    EXPECT_THAT(
        report,
        AllOf(
            HasSubstr("reader  waiting in event::wait"),
            HasSubstr(line(event_line)),
            HasSubstr("parent  waiting in task group, for 1 task to end"),
            HasSubstr("child  waiting in parking_lot::park"),
            HasSubstr(line(lot_line)),
            HasSubstr("waiting in sleep, for ever"),
            HasSubstr("task group (2 tasks)"),
            HasSubstr("task group (1 task)")
        )
    );
    // The tree is drawn as one: the parent's group is below it, the child below that.
    EXPECT_LT(report.find("reader"), report.find("parent"));
    EXPECT_LT(report.find("parent"), report.find("child"));
    EXPECT_THAT(report, ContainsRegex("├─ reader"));
    EXPECT_THAT(report, ContainsRegex("└─ parent"));
    EXPECT_THAT(report, ContainsRegex("   └─ child"));
}

TEST(deadlock, inside_of_a_shield_is_one_too_and_everything_is_unwound) {
    census people;
    const std::string report = deadlock_of([&]() -> task<> {
        event never_set;
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                const counted local(people);
                co_await shielded(never_set.wait());
                ADD_FAILURE();
            });
            tg.cancel();
            co_await with(shield(), [&]() -> task<> {
                const counted local(people);
                co_await with(shield(), [&]() -> task<> { co_await never_set.wait(); });
                ADD_FAILURE();
            });
        });
    });
    EXPECT_THAT(report, HasSubstr("waiting in event::wait"));
    EXPECT_TRUE(people.balanced());
    EXPECT_EQ(people.born(), 2);
}

TEST(deadlock, unwinds_cleanups_that_wait_for_what_can_never_come_either) {
    census people;
    const std::string report = deadlock_of([&]() -> task<> {
        const counted local(people);
        event never_set;
        auto waited = co_await as_outcome(never_set.wait());
        EXPECT_TRUE(waited.is_cancelled());
        co_await shielded(sleep(1h));  // this is possible
        const counted cleanup(people);
        co_await shielded(never_set.wait());  // this is not
        ADD_FAILURE();
    });
    EXPECT_THAT(report, HasSubstr("waiting in event::wait"));
    EXPECT_EQ(people.born(), 2);
    EXPECT_TRUE(people.balanced());
}

TEST(deadlock, wins_over_what_the_unwound_tasks_throw) {
    const std::string report = deadlock_of([]() -> task<> {
        event never_set;
        auto waited = co_await as_outcome(never_set.wait());
        throw std::runtime_error("a consequence");
    });
    EXPECT_THAT(report, HasSubstr("deadlock"));
}

TEST(deadlock, lets_another_run_follow_in_the_same_thread) {
    const std::string report =
        deadlock_of([]() -> task<> { co_await sleep_forever(); });
    EXPECT_THAT(report, HasSubstr("deadlock"));
    const int value = run([]() -> task<int> {
        co_await lowlevel::checkpoint();
        co_return 5;
    });
    EXPECT_EQ(value, 5);
}

TEST(deadlock, is_none_while_a_deadline_is_set) {
    const std::string report = deadlock_of([]() -> task<> {
        event never_set;
        const bool finished = co_await move_on_after(1h, never_set.wait());
        EXPECT_FALSE(finished);
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> { co_await never_set.wait(); });
            co_await sleep(1h);
            tg.cancel();
        });
    });
    EXPECT_EQ(report, "no deadlock");
}

TEST(deadlock, is_none_while_another_thread_has_a_token) {
    for (const bool virtual_time : {false, true}) {
        anyio::testing::virtual_clock clock;
        const run_options options{.clock = virtual_time ? &clock : nullptr};
        EXPECT_NO_THROW(run(options, []() -> task<> {
            event done;
            std::jthread thread([token = lowlevel::current_token(), &done] {
                // Twice, so that the loop has waited with nothing but the token in hand.
                std::promise<void> first;
                token.run_sync_soon([&] { first.set_value(); });
                first.get_future().wait();
                token.run_sync_soon([&] { done.set(); });
            });
            co_await done.wait();
        }));
    }
}

TEST(
    deadlock, is_none_while_a_task_of_the_loop_has_a_token_that_somebody_may_have_copied
) {
    // Nobody posts, so this would wait for ever: a function posted before shows that the
    // loop has waited. Then the token goes.
    const std::string report = deadlock_of([]() -> task<> {
        auto token =
            std::make_unique<lowlevel::event_loop_token>(lowlevel::current_token());
        token->run_sync_soon([&] { token.reset(); });
        co_await sleep_forever();
    });
    EXPECT_THAT(report, HasSubstr("waiting in sleep, for ever"));
}

TEST(deadlock, report_names_what_is_cancelled_and_why) {
    const std::string report = deadlock_of([]() -> task<> {
        event never_set;
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> { co_await shielded(never_set.wait()); });
            co_await lowlevel::checkpoint();
            tg.cancel("shutting down");
        });
    });
    EXPECT_THAT(report, HasSubstr("cancelled: shutting down"));
}

TEST(deadlock, report_of_a_very_deep_stack_is_cut) {
    struct calls {
        static task<> down(int depth) {
            if (depth == 0) {
                co_await sleep_forever();
                co_return;
            }
            co_await down(depth - 1);
        }
    };

    const std::string report =
        deadlock_of([]() -> task<> { co_await calls::down(10'000); });
    EXPECT_THAT(report, HasSubstr("..."));
    EXPECT_LT(report.size(), 10'000u);
    EXPECT_THAT(report, Not(HasSubstr("task 1 ")));
}
