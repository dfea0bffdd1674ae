// SPDX-License-Identifier: MIT
#include <anyio/cancellation/shield.hpp>

#include "support/anyio_test.hpp"

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;

ANYIO_TEST(shield, keeps_a_cancellation_from_outside_away_from_what_is_inside) {
    const time_point start = current_time();
    cancel_scope outer;
    bool inside_finished = false;
    const bool finished = co_await with(outer, [&]() -> task<> {
        inside_finished = co_await with(shield(), [&]() -> task<> {
            outer.cancel();
            co_await lowlevel::checkpoint();
            co_await sleep(1s);
            EXPECT_TRUE(outer.cancel_called());
        });
        EXPECT_EQ(current_time() - start, 1s);
        co_await lowlevel::checkpoint();
        ADD_FAILURE() << "after the shield the cancellation is seen again";
    });
    EXPECT_FALSE(finished);
    EXPECT_TRUE(inside_finished);
    EXPECT_TRUE(outer.cancelled_caught());
}

ANYIO_TEST(shield, may_be_entered_in_a_cancelled_scope) {
    int steps = 0;
    cancel_scope outer;
    outer.cancel();
    co_await with(outer, [&]() -> task<> {
        co_await with(shield(), [&]() -> task<> {
            co_await lowlevel::checkpoint();
            ++steps;
            co_await sleep(1s);
            ++steps;
        });
        co_await with(shield(), [&]() -> task<> {
            co_await lowlevel::checkpoint();
            ++steps;
        });
    });
    EXPECT_EQ(steps, 3);
}

ANYIO_TEST(shield, does_not_stop_its_own_cancellation_or_deadline) {
    cancel_scope outer;
    co_await with(outer, [&]() -> task<> {
        outer.cancel();
        auto cancelled = shield();
        const bool first = co_await with(cancelled, [&]() -> task<> {
            cancelled.cancel();
            co_await sleep_forever();
        });
        EXPECT_FALSE(first);
        EXPECT_TRUE(cancelled.cancelled_caught());
        cancel_scope timed({.deadline = current_time() + 1s, .shield = true});
        const bool second =
            co_await with(timed, []() -> task<> { co_await sleep_forever(); });
        EXPECT_FALSE(second);
        EXPECT_TRUE(timed.cancelled_caught());
    });
}

ANYIO_TEST(shield, lowered_in_a_cancelled_scope_wakes_what_waits_inside_at_once) {
    const time_point start = current_time();
    cancel_scope outer;
    cancel_scope inner({.shield = true});
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(outer, [&]() -> task<> {
                co_await with(inner, []() -> task<> { co_await sleep(1h); });
                ADD_FAILURE();
            });
        });
        co_await wait_all_tasks_blocked();
        outer.cancel();
        co_await sleep(1s);
        EXPECT_TRUE(inner.shield());
        inner.set_shield(false);
        EXPECT_FALSE(inner.shield());
    });
    EXPECT_EQ(current_time() - start, 1s);
    EXPECT_TRUE(outer.cancelled_caught());
    EXPECT_FALSE(inner.cancel_called());
}

ANYIO_TEST(shield, lowered_while_nothing_is_cancelled_changes_nothing) {
    cancel_scope inner({.shield = true});
    const bool finished =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await with(inner, []() -> task<> { co_await sleep(1s); });
                EXPECT_FALSE(inner.cancelled_caught());
            });
            co_await wait_all_tasks_blocked();
            inner.set_shield(false);
            inner.set_shield(true);
            inner.set_shield(false);
        });
    EXPECT_TRUE(finished);
}

ANYIO_TEST(shield, raised_while_the_task_waits_protects_it_from_then_on) {
    cancel_scope outer;
    cancel_scope inner;
    bool slept = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(outer, [&]() -> task<> {
                slept = co_await with(inner, []() -> task<> { co_await sleep(1s); });
                co_await lowlevel::checkpoint();
                ADD_FAILURE();
            });
        });
        co_await wait_all_tasks_blocked();
        inner.set_shield(true);
        outer.cancel();
    });
    EXPECT_TRUE(slept);
    EXPECT_TRUE(outer.cancelled_caught());
}

ANYIO_TEST(shield, raised_after_the_cancellation_was_delivered_is_too_late) {
    cancel_scope outer;
    cancel_scope inner;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(outer, [&]() -> task<> {
                co_await with(inner, []() -> task<> { co_await sleep(1s); });
                ADD_FAILURE();
            });
        });
        co_await wait_all_tasks_blocked();
        outer.cancel();
        inner.set_shield(true);
    });
    EXPECT_TRUE(outer.cancelled_caught());
}

// trio #1175
ANYIO_TEST(shield, raised_while_a_cancellation_passes_does_not_change_who_catches_it) {
    struct raises_the_shield {
        ~raises_the_shield() { scope.set_shield(true); }

        cancel_scope& scope;
    };

    cancel_scope outer;
    cancel_scope inner;
    bool inner_block_ended = false;
    const bool finished = co_await with(outer, [&]() -> task<> {
        co_await with(inner, [&]() -> task<> {
            const raises_the_shield guard{inner};
            outer.cancel();
            co_await lowlevel::checkpoint();
        });
        inner_block_ended = true;
    });
    EXPECT_FALSE(finished);
    EXPECT_FALSE(inner_block_ended);
    EXPECT_TRUE(outer.cancelled_caught());
    EXPECT_FALSE(inner.cancelled_caught());
}

ANYIO_TEST(
    shield, raised_for_the_cleanup_of_a_scope_lets_it_await_and_then_unwinds_on
) {
    bool cleaned = false;
    cancel_scope outer;
    cancel_scope inner;
    co_await with(outer, [&]() -> task<> {
        co_await with(inner, [&]() -> task<> {
            outer.cancel();
            auto cut = co_await as_outcome(sleep_forever());
            inner.set_shield(true);
            co_await sleep(1s);
            cleaned = true;
            inner.set_shield(false);
            co_await std::move(cut).unwrap();
        });
        ADD_FAILURE();
    });
    EXPECT_TRUE(cleaned);
    EXPECT_TRUE(outer.cancelled_caught());
    EXPECT_FALSE(inner.cancelled_caught());
}

ANYIO_TEST(shield, nested_in_another_protects_until_both_are_lowered) {
    cancel_scope outer;
    cancel_scope first({.shield = true});
    cancel_scope second({.shield = true});
    std::vector<std::string> log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            const bool finished = co_await with(outer, first, second, []() -> task<> {
                co_await sleep_forever();
            });
            EXPECT_FALSE(finished);
            log.push_back("unwound");
        });
        co_await wait_all_tasks_blocked();
        outer.cancel();
        second.set_shield(false);
        co_await wait_all_tasks_blocked();
        log.push_back("the first holds");
        second.set_shield(true);
        first.set_shield(false);
        co_await wait_all_tasks_blocked();
        log.push_back("the second holds");
        second.set_shield(false);
        co_await wait_all_tasks_blocked();
        log.push_back("both are down");
    });
    EXPECT_THAT(
        log,
        ElementsAre("the first holds", "the second holds", "unwound", "both are down")
    );
}

ANYIO_TEST(shield, leaves_the_deadlines_around_it_in_force_for_afterwards) {
    const time_point start = current_time();
    const bool finished = co_await with(move_on_after(5s), []() -> task<> {
        co_await with(shield(), []() -> task<> { co_await sleep(2s); });
        co_await sleep_forever();
    });
    EXPECT_FALSE(finished);
    EXPECT_EQ(current_time() - start, 5s);
    const bool late = co_await with(move_on_after(5s), []() -> task<> {
        co_await with(shield(), []() -> task<> { co_await sleep(20s); });
        co_await lowlevel::checkpoint();
        ADD_FAILURE();
    });
    EXPECT_FALSE(late);
    EXPECT_EQ(current_time() - start, 25s);
}

// anyio #370
ANYIO_TEST(
    shield, hides_a_cancellation_that_comes_while_it_is_up_only_until_it_is_left
) {
    std::vector<std::string> log;
    cancel_scope outer;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(outer, [&]() -> task<> {
                co_await with(shield(), []() -> task<> { co_await sleep(2s); });
                log.push_back("shield left");
                co_await sleep(1s);
                ADD_FAILURE();
            });
            log.push_back("caught");
        });
        co_await sleep(1s);
        outer.cancel();
    });
    EXPECT_THAT(log, ElementsAre("shield left", "caught"));
}

// anyio #695, #1111: nobody looks again and again whether the shield is still up.
ANYIO_TEST(shield, costs_a_cancelled_task_that_waits_behind_it_no_step_at_all) {
    std::uint64_t steps = 0;
    std::uint64_t spent = 0;
    event release;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int i = 0; i < 100; ++i) {
            tg.start_soon([&]() -> task<> { co_await shielded(release.wait()); });
        }
        co_await wait_all_tasks_blocked();
        steps = lowlevel::this_loop->steps();
        tg.cancel();
        co_await with(shield(), [&]() -> task<> {
            co_await wait_all_tasks_blocked();
            co_await sleep(1h);
            spent = lowlevel::this_loop->steps() - steps;
            release.set();
        });
    });
    EXPECT_LE(spent, 2u);
}

// --- shielded(awaitable) --------------------------------------------------------------

namespace {

task<int> slow_value(duration time, int value) {
    co_await sleep(time);
    co_return value;
}

task<> slow_failure(duration time) {
    co_await sleep(time);
    throw std::runtime_error("failed");
}

}  // namespace

ANYIO_TEST(shielded, finishes_in_a_cancelled_scope_and_gives_the_result) {
    const time_point start = current_time();
    cancel_scope scope;
    scope.cancel();
    int value = 0;
    co_await with(scope, [&]() -> task<> {
        value = co_await shielded(slow_value(2s, 7));
        co_await shielded(sleep(1s));
        co_await shielded(lowlevel::checkpoint());
        event set;
        set.set();
        co_await shielded(set.wait());
        ++value;
        co_await lowlevel::checkpoint();
        ADD_FAILURE();
    });
    EXPECT_EQ(value, 8);
    EXPECT_EQ(current_time() - start, 3s);
}

ANYIO_TEST(shielded, passes_errors_on) {
    auto failed = co_await as_outcome(shielded(slow_failure(1s)));
    EXPECT_EQ(message_of(failed.error()), "failed");
    auto at_once = co_await as_outcome(shielded(slow_failure(0s)));
    EXPECT_EQ(message_of(at_once.error()), "failed");
}

ANYIO_TEST(shielded, holds_for_everything_inside_but_not_for_scopes_of_its_own) {
    const time_point start = current_time();
    cancel_scope scope;
    scope.cancel();
    co_await with(scope, []() -> task<> {
        const std::optional<int> cut =
            co_await shielded(move_on_after(1s, slow_value(2s, 7)));
        EXPECT_EQ(cut, std::nullopt);
        const auto whole = co_await shielded(shielded(slow_value(2s, 7)));
        EXPECT_EQ(whole, 7);
        auto late = co_await as_outcome(shielded(fail_after(1s, sleep_forever())));
        EXPECT_TRUE(is_error<timeout_error>(late.error()));
    });
    EXPECT_EQ(current_time() - start, 4s);
}

ANYIO_TEST(shielded, protects_a_whole_group) {
    int ended = 0;
    cancel_scope scope;
    scope.cancel();
    co_await with(scope, [&]() -> task<> {
        const bool finished =
            co_await shielded(with(create_task_group(), [&](task_group& tg) -> task<> {
                tg.start_soon([&]() -> task<> {
                    co_await sleep(1s);
                    ++ended;
                });
                co_await sleep(1s);
                ++ended;
            }));
        EXPECT_TRUE(finished);
    });
    EXPECT_EQ(ended, 2);
}

ANYIO_TEST(shielded, lets_a_cleanup_wait_and_the_cancellation_go_on_after_it) {
    std::vector<std::string> log;
    cancel_scope scope;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(scope, [&]() -> task<> {
                auto ended = co_await as_outcome(sleep_forever());
                co_await shielded(sleep(1s));
                log.push_back("cleaned up");
                co_await std::move(ended).unwrap();
                log.push_back("not reached");
            });
            log.push_back("caught");
        });
        co_await wait_all_tasks_blocked();
        scope.cancel();
    });
    EXPECT_THAT(log, ElementsAre("cleaned up", "caught"));
}
