// SPDX-License-Identifier: MIT
#include <anyio/tasks/task_group.hpp>
#include "support/anyio_test.hpp"

#include <optional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using anyio::as_outcome;
using anyio::cancel_scope;
using anyio::create_task_group;
using anyio::shielded;
using anyio::sleep;
using anyio::task;
using anyio::task_group;
using anyio::with;
using testing::ElementsAre;

namespace {

using notes = std::vector<std::string>;

task<> sleep_for_ever() {
    co_await anyio::sleep_forever();
}

task<> note_after_shielded_sleep(notes& log, std::string name, anyio::delay length) {
    co_await shielded(sleep(length));
    log.push_back(std::move(name));
}

}  // namespace

ANYIO_TEST(task_group_cancellation, reaches_the_body_and_all_children) {
    int children_ended = 0;
    auto child = [&]() -> task<> {
        auto slept = co_await as_outcome(anyio::sleep_forever());
        EXPECT_TRUE(slept.is_cancelled());
        ++children_ended;
    };
    bool body_went_on = false;
    const bool completed =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon(child);
            tg.start_soon(child);
            co_await sleep(1s);
            tg.cancel_scope().cancel();
            co_await sleep(1s);
            body_went_on = true;
        });
    EXPECT_FALSE(completed);
    EXPECT_FALSE(body_went_on);
    EXPECT_EQ(children_ended, 2);
}

ANYIO_TEST(task_group_cancellation, may_come_from_a_child) {
    const auto begin = anyio::current_time();
    const bool completed =
        co_await with(create_task_group(), [](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await sleep(1s);
                tg.cancel("enough");
            });
            co_await anyio::sleep_forever();
        });
    EXPECT_FALSE(completed);
    EXPECT_EQ(anyio::current_time() - begin, 1s);
}

ANYIO_TEST(task_group_cancellation, takes_effect_at_the_next_checkpoint_of_the_body) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.cancel();
        tg.cancel("again");
        log.push_back("not yet");
        co_await anyio::lowlevel::checkpoint();
        log.push_back("too late");
    });
    EXPECT_THAT(log, ElementsAre("not yet"));
}

ANYIO_TEST(task_group_cancellation, leaves_a_body_that_has_completed_its_value) {
    const std::optional<int> value =
        co_await with(create_task_group(), [](task_group& tg) -> task<int> {
            tg.start_soon(sleep_for_ever);
            tg.cancel();
            co_return 7;
        });
    EXPECT_EQ(value, 7);
    const bool completed = co_await with(create_task_group(), [](task_group& tg) {
        tg.start_soon(sleep_for_ever);
        tg.cancel();
    });
    EXPECT_TRUE(completed);
}

ANYIO_TEST(task_group_cancellation, makes_the_result_of_an_unwound_body_empty) {
    const std::optional<int> value =
        co_await with(create_task_group(), [](task_group& tg) -> task<int> {
            tg.cancel();
            co_await sleep(1s);
            co_return 7;
        });
    EXPECT_EQ(value, std::nullopt);
}

ANYIO_TEST(task_group_cancellation, ends_at_the_group_that_was_cancelled) {
    notes log;
    bool caught = false;
    co_await with(create_task_group(), [&](task_group& outer) -> task<> {
        outer.start_soon(note_after_shielded_sleep, std::ref(log), "outer child", 5s);
        co_await with(create_task_group(), [&](task_group& inner) -> task<> {
            inner.cancel();
            co_await sleep(1s);
        });
        co_await sleep(1s);
        log.push_back("after inner");
        caught = outer.cancel_scope().cancelled_caught();
    });
    EXPECT_THAT(log, ElementsAre("after inner", "outer child"));
    EXPECT_FALSE(caught);
}

ANYIO_TEST(task_group_cancellation, from_outside_passes_through_the_group) {
    cancel_scope scope;
    notes log;
    bool inner_caught = true;
    const bool completed = co_await with(scope, [&]() -> task<> {
        auto ended = co_await as_outcome(with(
            create_task_group(),
            [&](task_group& tg) -> task<> {
                tg.start_soon(sleep_for_ever);
                co_await sleep(1s);
                scope.cancel();
                auto cut = co_await as_outcome(sleep(1s));
                tg.cancel();  // too: the outermost one catches
                inner_caught = tg.cancel_scope().cancelled_caught();
                co_await std::move(cut).unwrap();
            }
        ));
        EXPECT_TRUE(ended.is_cancelled());
        co_await std::move(ended).unwrap();
        log.push_back("not reached");
    });
    EXPECT_FALSE(completed);
    EXPECT_TRUE(scope.cancelled_caught());
    EXPECT_FALSE(inner_caught);
    EXPECT_THAT(log, ElementsAre());
}

ANYIO_TEST(
    task_group_cancellation, of_the_children_from_outside_unwinds_a_waiting_host
) {
    notes log;
    cancel_scope scope;
    const bool completed = co_await with(scope, [&]() -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(sleep_for_ever);
            tg.start_soon([&]() -> task<> {
                co_await sleep(1s);
                scope.cancel();
            });
        });
        log.push_back("not reached");
    });
    EXPECT_FALSE(completed);
    EXPECT_TRUE(scope.cancelled_caught());
    EXPECT_THAT(log, ElementsAre());
}

ANYIO_TEST(
    task_group_cancellation, does_not_take_the_result_of_a_group_that_it_did_not_cut
) {
    notes log;
    const bool completed = co_await with(anyio::move_on_after(1s), [&]() -> task<> {
        const auto value =
            co_await with(create_task_group(), [&](task_group& tg) -> task<int> {
                tg.start_soon(note_after_shielded_sleep, std::ref(log), "child", 2s);
                co_return 7;
            });
        EXPECT_EQ(value, 7);
        log.push_back("after the group");
        co_await sleep(0s);
        log.push_back("not reached");
    });
    EXPECT_FALSE(completed);
    EXPECT_THAT(log, ElementsAre("child", "after the group"));
}

ANYIO_TEST(task_group_cancellation, lets_new_children_run_to_their_first_checkpoint) {
    notes log;
    auto child = [&](std::string name) -> task<> {
        log.push_back(name);
        co_await anyio::lowlevel::checkpoint();
        log.push_back("not reached");
    };
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(child, "before");
        tg.cancel();
        tg.start_soon(child, "after");
        tg.start_soon([&]() -> task<> {
            log.push_back("without a checkpoint");
            tg.start_soon(child, "by a child");
            co_return;
        });
    });
    EXPECT_THAT(
        log, ElementsAre("before", "after", "without a checkpoint", "by a child")
    );
}

ANYIO_TEST(task_group_cancellation, is_seen_in_a_group_that_begins_cancelled) {
    notes log;
    cancel_scope scope;
    scope.cancel();
    const bool completed = co_await with(scope, [&]() -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            log.push_back("body");
            tg.start_soon([&]() -> task<> {
                log.push_back("child");
                co_await sleep(0s);
                log.push_back("not reached");
            });
            co_return;
        });
        log.push_back("not reached");
    });
    EXPECT_FALSE(completed);
    EXPECT_THAT(log, ElementsAre("body", "child"));
}

ANYIO_TEST(task_group_cancellation, waits_for_children_that_finish_under_a_shield) {
    notes log;
    const auto begin = anyio::current_time();
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon(note_after_shielded_sleep, std::ref(log), "shielded", 5s);
        co_await sleep(1s);
        tg.cancel();
    });
    EXPECT_THAT(log, ElementsAre("shielded"));
    EXPECT_EQ(anyio::current_time() - begin, 5s);
}

// anyio #695, #1111: 100 % CPU. The loop counts the steps that it takes.
ANYIO_TEST(
    task_group_cancellation, costs_nothing_while_a_child_finishes_under_a_shield
) {
    std::uint64_t steps = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await shielded(sleep(1h));
            steps = anyio::lowlevel::this_loop->steps() - steps;
        });
        co_await sleep(1s);
        steps = anyio::lowlevel::this_loop->steps();
        tg.cancel();
        co_await sleep(1h);
    });
    EXPECT_LE(steps, 3u);
}

ANYIO_TEST(task_group_cancellation, comes_by_the_deadline_of_the_groups_scope) {
    const auto begin = anyio::current_time();
    const bool completed =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.cancel_scope().set_deadline(begin + 2s);
            tg.start_soon(sleep_for_ever);
            co_await anyio::sleep_forever();
        });
    EXPECT_FALSE(completed);
    EXPECT_EQ(anyio::current_time() - begin, 2s);
}

ANYIO_TEST(
    task_group_cancellation, from_outside_stops_at_the_shield_of_the_groups_scope
) {
    notes log;
    const bool completed = co_await with(anyio::move_on_after(1s), [&]() -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.cancel_scope().set_shield(true);
            tg.start_soon([&]() -> task<> {
                co_await sleep(2s);
                log.push_back("child");
            });
            co_await sleep(3s);
            log.push_back("body");
        });
        co_await sleep(0s);
        log.push_back("not reached");
    });
    EXPECT_FALSE(completed);
    EXPECT_THAT(log, ElementsAre("child", "body"));
}

// anyio #642
ANYIO_TEST(task_group_cancellation, reaches_children_while_the_host_is_in_a_shield) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            auto slept = co_await as_outcome(anyio::sleep_forever());
            log.push_back(slept.is_cancelled() ? "child cancelled" : "?");
        });
        co_await with(anyio::shield(), [&]() -> task<> {
            co_await sleep(1s);
            tg.cancel();
            co_await sleep(1s);
            log.push_back("shielded host");
        });
    });
    EXPECT_THAT(log, ElementsAre("child cancelled", "shielded host"));
}

ANYIO_TEST(task_group_cancellation, comes_from_the_groups_scope_not_from_the_spawners) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        co_await with(cancel_scope(), [&](cancel_scope& scope) -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await sleep(1s);
                log.push_back("child");
            });
            co_await sleep(0s);
            scope.cancel();
            co_await sleep(2s);
            log.push_back("not reached");
        });
        log.push_back("body");
    });
    EXPECT_THAT(log, ElementsAre("body", "child"));
}

ANYIO_TEST(
    task_group_cancellation, keeps_a_scope_of_the_host_from_children_of_a_group_around
) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await sleep(2s);
            log.push_back("child");
        });
        co_await with(anyio::move_on_after(1s), [&]() -> task<> {
            co_await anyio::sleep_forever();
        });
        log.push_back("scope");
    });
    EXPECT_THAT(log, ElementsAre("scope", "child"));
}

ANYIO_TEST(task_group_cancellation, lets_a_child_clean_up_under_a_shield) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            auto slept = co_await as_outcome(anyio::sleep_forever());
            co_await shielded(sleep(1s));
            log.push_back("cleaned up");
            co_await std::move(slept).unwrap();
            log.push_back("not reached");
        });
        co_await sleep(1s);
        tg.cancel();
    });
    EXPECT_THAT(log, ElementsAre("cleaned up"));
}

ANYIO_TEST(task_group_cancellation, cuts_cleanup_short_that_is_not_shielded) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            auto slept = co_await as_outcome(anyio::sleep_forever());
            EXPECT_TRUE(slept.is_cancelled());
            log.push_back("cleanup");
            co_await sleep(0s);
            log.push_back("not reached");
        });
        co_await sleep(1s);
        tg.cancel();
    });
    EXPECT_THAT(log, ElementsAre("cleanup"));
}

ANYIO_TEST(task_group_cancellation, unwinds_destructors_from_the_inside_out) {
    notes log;

    struct guard {
        notes& log;
        const char* name;

        ~guard() { log.push_back(name + std::string(anyio::unwinding() ? "" : "?")); }
    };

    auto inner = [&]() -> task<> {
        const guard first{log, "inner"};
        co_await anyio::sleep_forever();
    };
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            const guard first{log, "outer first"};
            const guard second{log, "outer second"};
            co_await inner();
        });
        co_await sleep(1s);
        tg.cancel();
    });
    EXPECT_THAT(log, ElementsAre("inner", "outer second", "outer first"));
}

// Rule K3: whoever cancels is not interrupted by what that makes others do.
ANYIO_TEST(
    task_group_cancellation, runs_nothing_of_the_others_before_the_caller_suspends
) {
    notes log;

    struct guard {
        notes& log;

        ~guard() { log.push_back("child unwound"); }
    };

    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            const guard on_exit{log};
            co_await anyio::sleep_forever();
        });
        co_await sleep(1s);
        tg.cancel();
        log.push_back("caller");
        co_return;
    });
    EXPECT_THAT(log, ElementsAre("caller", "child unwound"));
}
