// SPDX-License-Identifier: MIT
#include <anyio/cancellation/cancel_scope.hpp>
#include "support/anyio_test.hpp"
#include "support/census.hpp"

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

ANYIO_TEST(scopes_and_tasks, a_scope_around_a_group_cancels_its_tasks) {
    int cleaned = 0;
    bool body_ended = false;
    cancel_scope scope;
    const bool finished = co_await with(scope, [&]() -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            for (int i = 0; i < 3; ++i) {
                tg.start_soon([&]() -> task<> {
                    auto slept = co_await as_outcome(sleep_forever());
                    ++cleaned;
                    co_await std::move(slept).unwrap();
                });
            }
            co_await wait_all_tasks_blocked();
            scope.cancel();
            body_ended = true;
        });
        ADD_FAILURE() << "the group was cut short by a scope around it";
    });
    EXPECT_FALSE(finished);
    EXPECT_TRUE(body_ended);
    EXPECT_EQ(cleaned, 3);
}

ANYIO_TEST(
    scopes_and_tasks, a_task_belongs_to_the_scope_of_its_group_not_of_its_starter
) {
    bool child_ended = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        cancel_scope scope;
        co_await with(scope, [&]() -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await sleep(1s);
                child_ended = true;
            });
            co_await lowlevel::checkpoint();
            scope.cancel();
            co_await lowlevel::checkpoint();
        });
        EXPECT_TRUE(scope.cancelled_caught());
    });
    EXPECT_TRUE(child_ended);
}

ANYIO_TEST(
    scopes_and_tasks, a_child_of_a_cancelled_group_runs_to_its_first_checkpoint
) {
    std::vector<std::string> log;
    auto child = [&](std::string name) -> task<> {
        log.push_back(name + " begins");
        co_await lowlevel::checkpoint();
        log.push_back(name + " goes on");
    };
    const bool finished =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon(child, "before");
            tg.cancel();
            tg.start_soon(child, "after");
            const auto handle = tg.create_task(child, "with handle");
            co_return;
        });
    EXPECT_THAT(
        log, UnorderedElementsAre("before begins", "after begins", "with handle begins")
    );
    EXPECT_TRUE(finished) << "the body itself met no checkpoint";
}

ANYIO_TEST(
    scopes_and_tasks, a_child_of_a_cancelled_group_without_checkpoint_runs_to_its_end
) {
    std::vector<int> results;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.cancel();
        for (int i = 0; i < 3; ++i) {
            tg.start_soon([&, i]() -> task<> {
                results.push_back(i);
                co_return;
            });
        }
        co_return;
    });
    EXPECT_THAT(results, ElementsAre(0, 1, 2));
}

// anyio #642
ANYIO_TEST(
    scopes_and_tasks, a_shield_in_the_body_of_a_group_does_not_shield_its_tasks
) {
    std::vector<std::string> log;
    event stop;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            auto slept = co_await as_outcome(sleep_forever());
            log.push_back("child cancelled");
            stop.set();
            co_await std::move(slept).unwrap();
        });
        co_await with(shield(), [&]() -> task<> {
            tg.start_soon([&]() -> task<> {
                auto slept = co_await as_outcome(sleep_forever());
                log.push_back("child started in the shield cancelled");
                co_await std::move(slept).unwrap();
            });
            co_await wait_all_tasks_blocked();
            tg.cancel();
            co_await stop.wait();
            log.push_back("body ends its shield");
        });
        co_await lowlevel::checkpoint();
        ADD_FAILURE();
    });
    EXPECT_THAT(
        log,
        ElementsAre(  // newest first
            "child started in the shield cancelled",
            "child cancelled",
            "body ends its shield"
        )
    );
}

ANYIO_TEST(scopes_and_tasks, a_group_inside_a_shield_is_shielded_with_its_tasks) {
    int ended = 0;
    cancel_scope outer;
    co_await with(outer, [&]() -> task<> {
        outer.cancel();
        co_await with(shield(), create_task_group(), [&](task_group& tg) -> task<> {
            for (int i = 0; i < 3; ++i) {
                tg.start_soon([&]() -> task<> {
                    co_await sleep(1s);
                    ++ended;
                });
            }
            co_await sleep(2s);
            ++ended;
        });
        EXPECT_EQ(ended, 4);
        co_await lowlevel::checkpoint();
        ADD_FAILURE();
    });
    EXPECT_EQ(ended, 4);
}

ANYIO_TEST(scopes_and_tasks, a_shielded_child_keeps_its_cancelled_group_waiting) {
    const time_point start = current_time();
    const bool finished =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([]() -> task<> { co_await shielded(sleep(1h)); });
            tg.start_soon([]() -> task<> { co_await sleep_forever(); });
            co_await wait_all_tasks_blocked();
            tg.cancel();
            co_await lowlevel::checkpoint();
        });
    EXPECT_FALSE(finished);
    EXPECT_EQ(current_time() - start, 1h);
}

ANYIO_TEST(scopes_and_tasks, a_scope_of_one_task_may_be_cancelled_by_another) {
    cancel_scope scope;
    std::vector<std::string> log;
    const bool finished =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await with(scope, []() -> task<> { co_await sleep_forever(); });
                log.push_back("first goes on");
                co_await sleep(1s);
                log.push_back("first ends");
            });
            tg.start_soon([&]() -> task<> {
                co_await sleep(1s);
                scope.cancel();
                log.push_back("second ends");
            });
            co_return;
        });
    EXPECT_TRUE(finished);
    EXPECT_THAT(log, ElementsAre("second ends", "first goes on", "first ends"));
}

ANYIO_TEST(scopes_and_tasks, a_scope_in_the_body_of_a_group_does_not_hold_its_tasks) {
    cancel_scope scope;
    bool child_ended = false;
    const bool finished =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await sleep(1s);
                child_ended = true;
            });
            const bool whole = co_await with(scope, [&]() -> task<> {
                co_await wait_all_tasks_blocked();
                scope.cancel();
                co_await lowlevel::checkpoint();
            });
            EXPECT_FALSE(whole);
        });
    EXPECT_TRUE(finished);
    EXPECT_TRUE(child_ended);
}

ANYIO_TEST(scopes_and_tasks, cancel_reaches_tasks_at_every_depth_of_the_tree) {
    support::census census;
    int unwound = 0;

    struct node {
        task<> grow(int depth) {
            const support::counted guard(people);
            co_await with(create_task_group(), [&](task_group& tg) -> task<> {
                if (depth > 0)
                    for (int i = 0; i < 3; ++i)
                        tg.start_soon(&node::grow, this, depth - 1);
                auto slept = co_await as_outcome(sleep_forever());
                ++count;
                co_await std::move(slept).unwrap();
            });
        }

        support::census& people;
        int& count;
    } root{census, unwound};

    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon(&node::grow, &root, 5);
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(census.alive(), 364);  // 1 + 3 + 9 + 27 + 81 + 243
        tg.cancel();
    });
    EXPECT_EQ(unwound, 364);
    EXPECT_TRUE(census.balanced());
}

ANYIO_TEST(scopes_and_tasks, ten_thousand_tasks_are_cancelled_in_one_pass) {
    int cancelled = 0;
    std::uint64_t steps = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int i = 0; i < 10'000; ++i) {
            tg.start_soon([&]() -> task<> {
                struct at_end {
                    ~at_end() { count += unwinding(); }

                    int& count;
                } const guard{cancelled};
                co_await sleep_forever();
            });
        }
        co_await wait_all_tasks_blocked();
        steps = lowlevel::this_loop->steps();
        tg.cancel();
    });
    EXPECT_EQ(cancelled, 10'000);
    EXPECT_LE(lowlevel::this_loop->steps() - steps, 10'002u);
}

// anyio #695: a group that ends in a cancelled scope must not spin.
ANYIO_TEST(
    scopes_and_tasks, a_cancelled_group_that_waits_for_a_shielded_child_does_nothing
) {
    std::uint64_t steps = 0;
    cancel_scope scope;
    co_await with(scope, [&]() -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([]() -> task<> { co_await shielded(sleep(1h)); });
            co_await wait_all_tasks_blocked();
            scope.cancel();
            steps = lowlevel::this_loop->steps();
        });
    });
    EXPECT_LE(lowlevel::this_loop->steps() - steps, 2u);
}

ANYIO_TEST(
    scopes_and_tasks, a_task_that_cancels_its_own_group_ends_at_its_next_checkpoint
) {
    bool went_on = false;
    bool passed = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            tg.cancel_scope().cancel();
            went_on = true;
            co_await lowlevel::checkpoint();
            passed = true;
        });
        co_await sleep_forever();
    });
    EXPECT_TRUE(went_on);
    EXPECT_FALSE(passed);
}

ANYIO_TEST(scopes_and_tasks, children_that_only_pass_a_cancellation_on_raise_no_error) {
    cancel_scope outer;
    const bool finished = co_await with(outer, [&]() -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([]() -> task<> { co_await sleep_forever(); });
            tg.start_soon([]() -> task<> {
                co_await with(create_task_group(), [](task_group& inner) -> task<> {
                    inner.start_soon([]() -> task<> { co_await sleep_forever(); });
                    co_await sleep_forever();
                });
            });
            outer.cancel();
            co_await sleep_forever();
        });
    });
    EXPECT_FALSE(finished);
    EXPECT_TRUE(outer.cancelled_caught());
}

ANYIO_TEST(scopes_and_tasks, a_scope_in_a_child_catches_only_what_is_its_own) {
    cancel_scope scope;
    bool went_on = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(scope, []() -> task<> { co_await sleep_forever(); });
            went_on = true;
        });
        co_await wait_all_tasks_blocked();
        tg.cancel();
        scope.cancel();
    });
    EXPECT_FALSE(went_on) << "the group is around the scope, and cancelled too";
    EXPECT_FALSE(scope.cancelled_caught());
}
