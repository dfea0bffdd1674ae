// SPDX-License-Identifier: MIT
#include <anyio/tasks/task_status.hpp>
#include "support/anyio_test.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using anyio::as_outcome;
using anyio::cancel_scope;
using anyio::create_task_group;
using anyio::move_on_after;
using anyio::shielded;
using anyio::sleep;
using anyio::task;
using anyio::task_group;
using anyio::task_status;
using anyio::with;
using testing::ElementsAre;

namespace {

using notes = std::vector<std::string>;

task<> never_ready(task_status<>) {
    co_await anyio::sleep_forever();
}

}  // namespace

// anyio #685, #710
ANYIO_TEST(start_cancellation, cancels_the_child_and_not_the_group) {
    notes log;
    const bool completed =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await sleep(3s);
                log.push_back("sibling");
            });
            co_await with(move_on_after(1s), [&]() -> task<> {
                co_await tg.start([&](task_status<>) -> task<> {
                    auto slept = co_await as_outcome(anyio::sleep_forever());
                    log.push_back(slept.is_cancelled() ? "child cancelled" : "?");
                    co_await std::move(slept).unwrap();
                });
                log.push_back("not reached");
            });
            EXPECT_FALSE(tg.cancel_scope().cancel_called());
            log.push_back("body");
        });
    EXPECT_TRUE(completed);
    EXPECT_THAT(log, ElementsAre("child cancelled", "body", "sibling"));
}

ANYIO_TEST(start_cancellation, may_come_by_a_timeout_around_the_call) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        const bool in_time = co_await move_on_after(1s, tg.start(never_ready));
        EXPECT_FALSE(in_time);
        auto late = co_await as_outcome(anyio::fail_after(1s, tg.start(never_ready)));
        EXPECT_TRUE(is_error<anyio::timeout_error>(late.error()));
        const auto value =
            co_await move_on_after(1s, tg.start([](task_status<int> status) -> task<> {
                status.started(7);
                co_await sleep(5s);  // not in the scope any more
            }));
        EXPECT_EQ(value, 7);
        EXPECT_EQ(anyio::get_running_tasks().size(), 2u);
    });
}

// anyio #837
ANYIO_TEST(start_cancellation, waits_for_a_child_that_finishes_under_a_shield) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        const auto begin = anyio::current_time();
        co_await with(move_on_after(1s), [&]() -> task<> {
            co_await tg.start([&](task_status<>) -> task<> {
                co_await shielded(sleep(3s));
                log.push_back("child");
                co_await sleep(1s);
                log.push_back("not reached");
            });
        });
        EXPECT_EQ(anyio::current_time() - begin, 3s);
        log.push_back("body");
    });
    EXPECT_THAT(log, ElementsAre("child", "body"));
}

ANYIO_TEST(start_cancellation, gives_the_childs_own_error_the_last_word) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        std::exception_ptr error;
        const bool completed = co_await with(move_on_after(1s), [&]() -> task<> {
            auto started = co_await as_outcome(tg.start([](task_status<>) -> task<> {
                auto slept = co_await as_outcome(anyio::sleep_forever());
                throw std::runtime_error("cleanup");
            }));
            error = started.error();
        });
        EXPECT_TRUE(completed);
        EXPECT_EQ(message_of(error), "cleanup");
        EXPECT_FALSE(tg.cancel_scope().cancel_called());
    });
}

ANYIO_TEST(start_cancellation, makes_a_late_started_do_nothing) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        const bool in_time =
            co_await move_on_after(1s, tg.start([&](task_status<> status) -> task<> {
                co_await shielded(sleep(2s));
                status.started();
                log.push_back("told");
                co_await sleep(0s);
                log.push_back("not reached");
            }));
        EXPECT_FALSE(in_time);
        EXPECT_EQ(anyio::get_running_tasks().size(), 1u);
    });
    EXPECT_THAT(log, ElementsAre("told"));
}

ANYIO_TEST(start_cancellation, is_not_turned_into_an_exit_without_started) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto started =
            co_await as_outcome(move_on_after(1s, tg.start([](task_status<>) -> task<> {
                auto slept = co_await as_outcome(anyio::sleep_forever());
            })));
        ANYIO_REQUIRE(started.has_value());
        EXPECT_FALSE(started.value());
    });
}

// --- started() and cancel() in the same turn

ANYIO_TEST(start_cancellation, right_after_started_loses) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        cancel_scope scope;
        std::optional<int> value;
        const bool completed = co_await with(scope, [&]() -> task<> {
            value = co_await tg.start([&](task_status<int> status) -> task<> {
                co_await sleep(1s);
                status.started(7);
                scope.cancel();
                co_await sleep(1s);
                log.push_back("child goes on");
            });
            log.push_back("started");
            co_await sleep(0s);
            log.push_back("not reached");
        });
        EXPECT_FALSE(completed);
        EXPECT_EQ(value, 7);
    });
    EXPECT_THAT(log, ElementsAre("started", "child goes on"));
}

ANYIO_TEST(start_cancellation, right_before_started_wins) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        cancel_scope scope;
        const bool completed = co_await with(scope, [&]() -> task<> {
            co_await tg.start([&](task_status<int> status) -> task<> {
                co_await sleep(1s);
                scope.cancel();
                status.started(7);
                log.push_back("told in vain");
                co_await sleep(1s);
                log.push_back("not reached");
            });
            log.push_back("not reached");
        });
        EXPECT_FALSE(completed);
        EXPECT_FALSE(tg.cancel_scope().cancel_called());
    });
    EXPECT_THAT(log, ElementsAre("told in vain"));
}

// anyio #706
ANYIO_TEST(start_cancellation, right_after_started_does_not_make_it_called_twice) {
    auto ended =
        co_await as_outcome(with(create_task_group(), [](task_group& tg) -> task<> {
            cancel_scope scope;
            co_await with(scope, [&]() -> task<> {
                co_await tg.start([&](task_status<> status) -> task<> {
                    status.started();
                    scope.cancel();
                    co_return;
                });
                co_await sleep(0s);
            });
        }));
    EXPECT_TRUE(ended.has_value());
}

ANYIO_TEST(start_cancellation, of_the_group_right_after_started_cuts_the_child) {
    notes log;
    std::optional<int> value;
    const bool completed =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            value = co_await tg.start([&](task_status<int> status) -> task<> {
                status.started(7);
                tg.cancel();
                co_await sleep(1s);
                log.push_back("not reached");
            });
            log.push_back("started");
            co_await sleep(1s);
            log.push_back("not reached");
        });
    EXPECT_FALSE(completed);
    EXPECT_EQ(value, 7);
    EXPECT_THAT(log, ElementsAre("started"));
}

// --- the scopes that the child is in

ANYIO_TEST(start_cancellation, of_the_group_reaches_a_pending_start_of_its_body) {
    bool went_on = false;
    const bool completed =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await sleep(1s);
                tg.cancel();
            });
            co_await tg.start(never_ready);
            went_on = true;
        });
    EXPECT_FALSE(completed);
    EXPECT_FALSE(went_on);
}

ANYIO_TEST(start_cancellation, of_the_group_waits_for_a_start_from_outside_of_it) {
    notes log;
    co_await with(create_task_group(), [&](task_group& outer) {
        outer.start_soon([&]() -> task<> {
            co_await with(create_task_group(), [&](task_group& inner) {
                outer.start_soon([&]() -> task<> {
                    const int value =
                        co_await inner.start([&](task_status<int> status) -> task<> {
                            co_await sleep(2s);  // still under the starter
                            status.started(7);
                            log.push_back("ready");
                            co_await sleep(0s);
                            log.push_back("not reached");
                        });
                    EXPECT_EQ(value, 7);
                    log.push_back("started");
                });
                inner.start_soon([&]() -> task<> {
                    co_await sleep(1s);
                    inner.cancel();
                });
            });
            log.push_back("inner group");
        });
    });
    EXPECT_THAT(log, testing::UnorderedElementsAre("ready", "started", "inner group"));
    EXPECT_EQ(log.front(), "ready");
}

// --- start() in a scope that is cancelled already: start_soon() and a wait

namespace {

/// How start() of `function` ends in a cancelled scope.
template <class F>
task<anyio::outcome<int>> start_in_cancelled_scope(F function) {
    std::optional<anyio::outcome<int>> ended;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        cancel_scope scope;
        scope.cancel();
        co_await with(scope, [&]() -> task<> {
            auto outcome = co_await as_outcome(tg.start(function));
            ended.emplace(std::move(outcome));
        });
        EXPECT_EQ(tg.core().count(), 0u);
        EXPECT_FALSE(tg.cancel_scope().cancel_called());
    });
    co_return std::move(*ended);
}

}  // namespace

ANYIO_TEST(start_cancellation, before_the_call_lets_a_child_without_checkpoint_start) {
    auto ended =
        co_await start_in_cancelled_scope([](task_status<int> status) -> task<> {
            status.started(7);
            co_return;
        });
    ANYIO_REQUIRE(ended.has_value());
    EXPECT_EQ(std::move(ended).value(), 7);
}

ANYIO_TEST(start_cancellation, before_the_call_lets_the_child_run_to_a_checkpoint) {
    notes log;
    auto before = [&](task_status<int>) -> task<> {
        log.push_back("begun");
        co_await sleep(0s);
        log.push_back("not reached");
    };
    auto after = [&](task_status<int> status) -> task<> {
        status.started(7);
        log.push_back("told");
        co_await sleep(0s);
        log.push_back("not reached");
    };
    auto first = co_await start_in_cancelled_scope(before);
    EXPECT_TRUE(first.is_cancelled());
    auto second = co_await start_in_cancelled_scope(after);
    EXPECT_TRUE(second.is_cancelled());
    EXPECT_THAT(log, ElementsAre("begun", "told"));
}

ANYIO_TEST(start_cancellation, before_the_call_lets_errors_out) {
    auto after =
        co_await start_in_cancelled_scope([](task_status<int> status) -> task<> {
            status.started(7);
            throw std::runtime_error("oops");
            co_return;
        });
    EXPECT_EQ(message_of(after.error()), "oops");
    auto before = co_await start_in_cancelled_scope([](task_status<int>) -> task<> {
        throw std::runtime_error("oops");
        co_return;
    });
    EXPECT_EQ(message_of(before.error()), "oops");
}

ANYIO_TEST(start_cancellation, before_the_call_lets_a_plain_function_start) {
    auto ended = co_await start_in_cancelled_scope([](task_status<int> status) {
        status.started(7);
        return []() -> task<> { co_return; }();
    });
    ANYIO_REQUIRE(ended.has_value());
    EXPECT_EQ(std::move(ended).value(), 7);
}

ANYIO_TEST(start_cancellation, of_the_starters_scope_does_not_reach_a_ready_child) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        co_await with(move_on_after(2s), [&]() -> task<> {
            co_await tg.start([&](task_status<> status) -> task<> {
                co_await sleep(1s);
                status.started();
                co_await sleep(5s);
                log.push_back("child");
            });
            co_await anyio::sleep_forever();
        });
        log.push_back("scope");
    });
    EXPECT_THAT(log, ElementsAre("scope", "child"));
}

ANYIO_TEST(start_cancellation, of_the_group_reaches_all_that_a_ready_child_has_begun) {
    notes log;
    auto end_noted = [&](std::string name) -> task<> {
        auto slept = co_await as_outcome(anyio::sleep_forever());
        log.push_back(name);
        co_await std::move(slept).unwrap();
    };
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        co_await tg.start([&](task_status<> status) -> task<> {
            co_await with(create_task_group(), [&](task_group& inner) -> task<> {
                inner.start_soon(end_noted, "grandchild");
                co_await with(cancel_scope(), [&]() -> task<> {
                    co_await sleep(1s);
                    status.started();
                    co_await end_noted("child");
                });
            });
        });
        co_await sleep(1s);
        tg.cancel();
    });
    EXPECT_THAT(log, testing::UnorderedElementsAre("child", "grandchild"));
}

ANYIO_TEST(start_cancellation, of_the_starter_reaches_all_that_the_child_has_begun) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        co_await with(move_on_after(1s), [&]() -> task<> {
            co_await tg.start([&](task_status<>) -> task<> {
                co_await with(create_task_group(), [&](task_group& inner) {
                    inner.start_soon([&]() -> task<> {
                        auto slept = co_await as_outcome(anyio::sleep_forever());
                        log.push_back("grandchild");
                    });
                });
            });
        });
        log.push_back("body");
    });
    EXPECT_THAT(log, ElementsAre("grandchild", "body"));
}

ANYIO_TEST(start_cancellation, stays_away_behind_a_shield_of_the_starter) {
    const bool completed = co_await with(move_on_after(1s), []() -> task<> {
        co_await with(create_task_group(), [](task_group& tg) -> task<> {
            co_await with(anyio::shield(), [&]() -> task<> {
                const int value =
                    co_await tg.start([](task_status<int> status) -> task<> {
                        co_await sleep(2s);
                        status.started(7);
                        auto slept = co_await as_outcome(sleep(1s));
                        EXPECT_TRUE(slept.is_cancelled()
                        );  // in the cancelled group now
                    });
                EXPECT_EQ(value, 7);
            });
        });
    });
    EXPECT_TRUE(completed);
}
