// SPDX-License-Identifier: MIT
#include <anyio/cancellation/cancel_scope.hpp>
#include "support/anyio_test.hpp"

using namespace anyio;
using namespace std::chrono_literals;

namespace {

/// Waits for ever in `scope` while `act` runs beside it; tells how long the wait took.
template <class Act>
task<duration> wait_in(cancel_scope& scope, Act& act) {
    const time_point start = current_time();
    time_point end = start;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(scope, []() -> task<> { co_await sleep_forever(); });
            end = current_time();
        });
        co_await wait_all_tasks_blocked();
        co_await act();
    });
    EXPECT_TRUE(scope.cancel_called());
    EXPECT_TRUE(scope.cancelled_caught());
    co_return between(start, end);
}

}  // namespace

ANYIO_TEST(deadline, cuts_a_block_short_at_its_time_and_not_before) {
    const time_point start = current_time();
    cancel_scope scope({.deadline = start + 10s});
    EXPECT_EQ(scope.deadline(), start + 10s);
    const bool finished = co_await with(scope, [&]() -> task<> {
        co_await sleep(10s - 1ns);
        EXPECT_FALSE(scope.cancel_called());
        co_await sleep_forever();
    });
    EXPECT_FALSE(finished);
    EXPECT_EQ(current_time(), start + 10s);
    EXPECT_TRUE(scope.cancelled_caught());
}

ANYIO_TEST(deadline, that_does_not_come_leaves_no_timer_behind) {
    const std::size_t timers = lowlevel::this_loop->deadlines.size();
    for (int i = 0; i < 10; ++i) {
        co_await with(move_on_after(1h), []() -> task<> { co_await sleep(1ms); });
        co_await with(move_on_after(1h), []() -> task<> { co_return; });
        co_await move_on_after(1h, sleep(1ms));
        co_await move_on_after(1h, lowlevel::checkpoint());
    }
    EXPECT_EQ(lowlevel::this_loop->deadlines.size(), timers);
}

ANYIO_TEST(deadline, of_a_block_that_never_waits_costs_no_timer) {
    const std::size_t timers = lowlevel::this_loop->deadlines.size();
    event set;
    set.set();
    co_await with(move_on_after(1h), [&]() -> task<> {
        co_await set.wait();
        EXPECT_EQ(lowlevel::this_loop->deadlines.size(), timers);
        co_await lowlevel::checkpoint();
        EXPECT_EQ(lowlevel::this_loop->deadlines.size(), timers + 1);
    });
    EXPECT_EQ(lowlevel::this_loop->deadlines.size(), timers);
}

ANYIO_TEST(deadline, may_be_moved_earlier_while_the_block_waits) {
    cancel_scope scope({.deadline = current_time() + 1h});
    const time_point start = current_time();
    auto act = [&]() -> task<> {
        scope.set_deadline(start + 5s);
        co_return;
    };
    const duration waited = co_await wait_in(scope, act);
    EXPECT_EQ(waited, 5s);
    EXPECT_EQ(scope.deadline(), start + 5s);
}

ANYIO_TEST(deadline, may_be_moved_later_while_the_block_waits) {
    cancel_scope scope({.deadline = current_time() + 5s});
    const time_point start = current_time();
    auto act = [&]() -> task<> {
        co_await sleep(4s);
        scope.set_deadline(start + 1h);
    };
    const duration waited = co_await wait_in(scope, act);
    EXPECT_EQ(waited, 1h);
}

ANYIO_TEST(deadline, may_be_given_to_a_block_that_waits_without_one) {
    cancel_scope scope;
    const time_point start = current_time();
    auto act = [&]() -> task<> {
        co_await sleep(2s);
        scope.set_deadline(start + 3s);
    };
    const duration waited = co_await wait_in(scope, act);
    EXPECT_EQ(waited, 3s);
}

ANYIO_TEST(deadline, may_be_taken_away_and_given_again_while_the_block_waits) {
    cancel_scope scope({.deadline = current_time() + 1s});
    const time_point start = current_time();
    auto act = [&]() -> task<> {
        scope.set_deadline(never);
        EXPECT_EQ(scope.deadline(), never);
        co_await sleep(1min);
        EXPECT_FALSE(scope.cancel_called());
        scope.set_deadline(start + 2min);
    };
    const duration waited = co_await wait_in(scope, act);
    EXPECT_EQ(waited, 2min);
}

ANYIO_TEST(deadline, moved_into_the_past_cancels_at_once) {
    cancel_scope scope;
    auto act = [&]() -> task<> {
        co_await sleep(2s);
        scope.set_deadline(current_time());
        EXPECT_TRUE(scope.cancel_called());
    };
    const duration waited = co_await wait_in(scope, act);
    EXPECT_EQ(waited, 2s);
}

ANYIO_TEST(
    deadline, set_in_the_past_by_the_block_itself_cuts_it_at_the_next_checkpoint
) {
    bool went_on = false;
    cancel_scope scope;
    const bool finished = co_await with(scope, [&]() -> task<> {
        scope.set_deadline(time_point::min());
        went_on = true;
        co_await lowlevel::checkpoint();
        ADD_FAILURE();
    });
    EXPECT_FALSE(finished);
    EXPECT_TRUE(went_on);
}

ANYIO_TEST(deadline, moved_later_after_it_has_passed_does_not_revive_the_block) {
    cancel_scope scope({.deadline = current_time() + 1s});
    int cancelled = 0;
    const bool finished = co_await with(scope, [&]() -> task<> {
        const auto slept = co_await as_outcome(sleep_forever());
        cancelled += slept.is_cancelled();
        scope.set_deadline(current_time() + 1h);
        EXPECT_TRUE(scope.cancel_called());
        const auto again = co_await as_outcome(lowlevel::checkpoint());
        cancelled += again.is_cancelled();
        scope.set_deadline(never);
        const auto once_more = co_await as_outcome(lowlevel::checkpoint());
        cancelled += once_more.is_cancelled();
        co_await lowlevel::checkpoint();
    });
    EXPECT_FALSE(finished);
    EXPECT_EQ(cancelled, 3);
}

ANYIO_TEST(deadline, that_has_passed_at_entry_cuts_the_block_at_its_first_checkpoint) {
    bool begun = false;
    cancel_scope scope({.deadline = current_time()});
    const bool finished = co_await with(scope, [&]() -> task<> {
        EXPECT_TRUE(scope.cancel_called());
        begun = true;
        co_await lowlevel::checkpoint();
        ADD_FAILURE();
    });
    EXPECT_FALSE(finished);
    EXPECT_TRUE(begun);
    cancel_scope long_ago({.deadline = time_point::min()});
    const bool second = co_await with(long_ago, []() -> task<> { co_await sleep(1s); });
    EXPECT_FALSE(second);
}

ANYIO_TEST(deadline, of_a_timeout_counts_from_the_entry_not_from_its_making) {
    auto scope = move_on_after(10s);
    const time_point made = current_time();
    EXPECT_EQ(scope.deadline(), made + 10s) << "if it began now";
    co_await sleep(1min);
    EXPECT_EQ(scope.deadline(), made + 1min + 10s) << "if it began now";
    EXPECT_FALSE(scope.cancel_called());
    const bool finished = co_await with(scope, [&]() -> task<> {
        EXPECT_EQ(scope.deadline(), made + 1min + 10s);
        co_await sleep(5s);
        EXPECT_EQ(scope.deadline(), made + 1min + 10s) << "fixed at entry";
        co_await sleep_forever();
    });
    EXPECT_FALSE(finished);
    EXPECT_EQ(current_time(), made + 1min + 10s);
}

ANYIO_TEST(deadline, of_a_timeout_is_fixed_at_entry_also_if_it_is_cancelled_before) {
    auto scope = move_on_after(10s);
    scope.cancel();
    const time_point entered = current_time();
    co_await with(scope, []() -> task<> { co_await lowlevel::checkpoint(); });
    co_await sleep(1s);
    EXPECT_EQ(scope.deadline(), entered + 10s);
}

ANYIO_TEST(deadline, may_replace_a_timeout_before_the_block_begins) {
    auto scope = move_on_after(10s);
    const time_point start = current_time();
    scope.set_deadline(start + 20s);
    co_await sleep(1s);
    const bool finished =
        co_await with(scope, []() -> task<> { co_await sleep_forever(); });
    EXPECT_FALSE(finished);
    EXPECT_EQ(current_time(), start + 20s);
}

ANYIO_TEST(deadline, of_an_outer_scope_comes_through_all_inner_ones) {
    const time_point start = current_time();
    cancel_scope outer({.deadline = start + 1s});
    cancel_scope inner({.deadline = start + 2s});
    const bool finished = co_await with(outer, [&]() -> task<> {
        co_await with(inner, []() -> task<> { co_await sleep_forever(); });
        ADD_FAILURE();
    });
    EXPECT_FALSE(finished);
    EXPECT_EQ(current_time(), start + 1s);
    EXPECT_FALSE(inner.cancel_called());
}

ANYIO_TEST(deadline, of_an_inner_scope_lets_the_outer_one_go_on_to_its_own) {
    const time_point start = current_time();
    cancel_scope outer({.deadline = start + 2s});
    const bool finished = co_await with(outer, [&]() -> task<> {
        cancel_scope inner({.deadline = start + 1s});
        const bool whole =
            co_await with(inner, []() -> task<> { co_await sleep_forever(); });
        EXPECT_FALSE(whole);
        EXPECT_EQ(current_time(), start + 1s);
        co_await sleep_forever();
    });
    EXPECT_FALSE(finished);
    EXPECT_EQ(current_time(), start + 2s);
}

ANYIO_TEST(deadline, shared_by_nested_scopes_is_caught_by_the_outermost) {
    const time_point end = current_time() + 1s;
    cancel_scope outer({.deadline = end});
    cancel_scope middle({.deadline = end});
    cancel_scope inner({.deadline = end});
    co_await with(outer, [&]() -> task<> {
        co_await with(middle, inner, []() -> task<> { co_await sleep_forever(); });
        ADD_FAILURE();
    });
    EXPECT_TRUE(outer.cancelled_caught());
    EXPECT_FALSE(middle.cancelled_caught());
    EXPECT_FALSE(inner.cancelled_caught());
}

ANYIO_TEST(deadline, holds_for_child_tasks_even_if_only_they_wait) {
    const time_point start = current_time();
    bool ended = false;
    const bool finished = co_await with(
        move_on_after(1s),
        create_task_group(),
        [&](task_group& tg) -> task<> {
            tg.start_soon([]() -> task<> { co_await sleep_forever(); });
            auto handle = tg.create_task([]() -> task<> { co_await sleep_forever(); });
            ended = true;
            co_return;
        }
    );
    EXPECT_FALSE(finished);
    EXPECT_TRUE(ended);
    EXPECT_EQ(current_time(), start + 1s);
}

ANYIO_TEST(
    deadline, that_comes_together_with_the_result_lets_the_result_win_if_it_was_first
) {
    const time_point start = current_time();
    const bool finished = co_await with(move_on_after(1s), [&]() -> task<> {
        co_await sleep_until(start + 1s - 1ns);
        co_await sleep_until(start + 1s - 1ns);  // passed: a checkpoint
    });
    EXPECT_TRUE(finished);
}

ANYIO_TEST(deadline, is_never_early_and_at_most_a_pass_late_whatever_the_number) {
    std::vector<time_point> ends;
    const time_point start = current_time();
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int i = 0; i < 500; ++i) {
            tg.start_soon([&, i]() -> task<> {
                const duration timeout = std::chrono::milliseconds(i * 7919 % 500);
                co_await with(move_on_after(timeout), []() -> task<> {
                    co_await sleep_forever();
                });
                EXPECT_EQ(current_time(), start + timeout);
                ends.push_back(current_time());
            });
        }
        co_return;
    });
    EXPECT_EQ(ends.size(), 500u);
    EXPECT_TRUE(std::ranges::is_sorted(ends));
}

// The clock of an ANYIO_TEST moves only while all tasks are blocked; here it moves while
// the body runs.

TEST(deadline, that_passed_unnoticed_is_told_by_cancel_called) {
    anyio::testing::virtual_clock clock;
    run({.clock = &clock}, [&]() -> task<> {
        cancel_scope not_entered({.deadline = current_time() + 1s});
        cancel_scope scope({.deadline = current_time() + 1s});
        const bool finished = co_await with(scope, [&]() -> task<> {
            EXPECT_FALSE(scope.cancel_called());
            clock.advance(1s);
            EXPECT_EQ(current_time(), time_point(1s));
            EXPECT_TRUE(scope.cancel_called()) << "though the loop has not looked yet";
            co_return;
        });
        EXPECT_TRUE(finished);
        EXPECT_FALSE(scope.cancelled_caught());
        EXPECT_TRUE(not_entered.cancel_called());
    });
}

TEST(deadline, that_passes_while_the_block_runs_does_not_undo_what_it_completes) {
    anyio::testing::virtual_clock clock;
    const auto value = run({.clock = &clock}, [&]() -> task<int> {
        const auto result = co_await with(move_on_after(1s), [&]() -> task<int> {
            co_await lowlevel::checkpoint();
            clock.advance(1h);
            co_return 42;
        });
        co_return result.value_or(0);
    });
    EXPECT_EQ(value, 42);
}

TEST(deadline, that_passes_while_other_tasks_are_busy_cuts_the_block_at_the_next_look) {
    anyio::testing::virtual_clock clock;
    run({.clock = &clock}, [&]() -> task<> {
        bool finished = true;
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                finished = co_await with(move_on_after(1s), []() -> task<> {
                    co_await sleep_forever();
                });
                tg.cancel();
            });
            co_await lowlevel::checkpoint();
            clock.advance(1s);
            for (int i = 0; i < 1000; ++i)
                co_await lowlevel::checkpoint();
            ADD_FAILURE() << "a busy task must not keep deadlines from firing";
        });
        EXPECT_FALSE(finished);
    });
}

TEST(deadline, of_a_timeout_counts_from_the_time_to_which_the_clock_was_moved_by_hand) {
    anyio::testing::virtual_clock clock;
    run({.clock = &clock}, [&]() -> task<> {
        clock.advance(1h);
        const bool finished =
            co_await with(move_on_after(2s), [&]() -> task<> { co_await sleep(1s); });
        EXPECT_TRUE(finished);
        clock.advance(1h);
        cancel_scope scope({.deadline = time_point(2h)});
        EXPECT_TRUE(scope.cancel_called());
    });
}

TEST(deadline, that_was_seen_to_have_passed_is_a_cancellation_for_ever) {
    anyio::testing::virtual_clock clock;
    run({.clock = &clock}, [&]() -> task<> {
        cancel_scope inside;
        const bool finished = co_await with(inside, [&]() -> task<> {
            inside.set_deadline(current_time() + 1s);
            clock.advance(2s);
            EXPECT_TRUE(inside.cancel_called());
            inside.set_deadline(current_time() + 1h);
            EXPECT_TRUE(inside.cancel_called());
            co_await lowlevel::checkpoint();
            ADD_FAILURE();
        });
        EXPECT_FALSE(finished);
        EXPECT_TRUE(inside.cancelled_caught());

        cancel_scope before({.deadline = current_time() - 1s});
        EXPECT_TRUE(before.cancel_called());
        before.set_deadline(never);
        EXPECT_TRUE(before.cancel_called());
    });
}
