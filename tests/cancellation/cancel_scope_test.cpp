// SPDX-License-Identifier: MIT
#include <anyio/cancellation/cancel_scope.hpp>

#include <anyio/lowlevel/cancel_cause.hpp>
#include "support/anyio_test.hpp"

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ANYIO_TEST(cancel_scope, lets_an_uncancelled_block_run_to_its_end) {
    cancel_scope scope;
    const bool finished =
        co_await with(scope, []() -> task<> { co_await lowlevel::checkpoint(); });
    EXPECT_TRUE(finished);
    EXPECT_FALSE(scope.cancel_called());
    EXPECT_FALSE(scope.cancelled_caught());
}

ANYIO_TEST(cancel_scope, cuts_its_block_short_at_the_next_checkpoint) {
    bool before = false;
    bool after = false;
    cancel_scope scope;
    const bool finished = co_await with(scope, [&]() -> task<> {
        scope.cancel();
        before = true;
        co_await lowlevel::checkpoint();
        after = true;
    });
    EXPECT_FALSE(finished);
    EXPECT_TRUE(before);
    EXPECT_FALSE(after);
    EXPECT_TRUE(scope.cancel_called());
    EXPECT_TRUE(scope.cancelled_caught());
}

ANYIO_TEST(
    cancel_scope, cancelled_before_its_block_takes_effect_at_the_first_checkpoint
) {
    bool begun = false;
    bool passed = false;
    cancel_scope scope;
    scope.cancel();
    co_await lowlevel::checkpoint();  // not inside, so not cancelled
    const bool finished = co_await with(scope, [&]() -> task<> {
        begun = true;
        co_await lowlevel::checkpoint();
        passed = true;
    });
    EXPECT_FALSE(finished);
    EXPECT_TRUE(begun);
    EXPECT_FALSE(passed);
    EXPECT_TRUE(scope.cancelled_caught());
}

TEST(cancel_scope, may_be_made_and_cancelled_before_any_loop_runs) {
    cancel_scope scope;
    scope.cancel("too early");
    EXPECT_TRUE(scope.cancel_called());
    EXPECT_EQ(scope.deadline(), never);
    const bool finished = run([&]() -> task<bool> {
        const bool ended =
            co_await with(scope, []() -> task<> { co_await sleep_forever(); });
        co_return ended;
    });
    EXPECT_FALSE(finished);
    EXPECT_EQ(scope.status().cause()->reason, "too early");
    EXPECT_EQ(scope.status().cause()->task_id, 0u);
}

ANYIO_TEST(cancel_scope, serves_a_single_block) {
    cancel_scope scope;
    co_await with(scope, []() -> task<> { co_return; });
    bool entered = false;
    std::string message;
    try {
        co_await with(scope, [&]() -> task<> {
            entered = true;
            co_return;
        });
    } catch (const usage_error& e) {
        message = e.what();
    }
    EXPECT_FALSE(entered);
    EXPECT_THAT(message, HasSubstr("it has served a block already"));
}

ANYIO_TEST(cancel_scope, that_is_refused_leaves_the_scopes_around_it_as_they_were) {
    cancel_scope used;
    co_await with(used, [] {});
    cancel_scope outer;
    const bool finished = co_await with(outer, [&]() -> task<> {
        auto twice = co_await as_outcome(with(used, [] {}));
        EXPECT_TRUE(twice.has_error());
        cancel_scope same;
        auto nested = co_await as_outcome(with(same, same, [] {}));
        EXPECT_TRUE(caught_as<usage_error>(nested.error()));
        cancel_scope around;
        co_await with(around, [&]() -> task<> {
            auto inside_itself = co_await as_outcome(with(around, [] {}));
            EXPECT_TRUE(caught_as<usage_error>(inside_itself.error()));
        });
        co_await lowlevel::checkpoint();
        outer.cancel();
        co_await lowlevel::checkpoint();
    });
    EXPECT_FALSE(finished);
    EXPECT_TRUE(outer.cancelled_caught());
}

ANYIO_TEST(cancel_scope, remembers_who_cancelled_it_first_and_why) {
    cancel_scope scope;
    std::uint_least32_t line = 0;
    co_await with(scope, [&]() -> task<> {
        line = std::source_location::current().line() + 1;
        scope.cancel("first");
        scope.cancel("second");
        co_await lowlevel::checkpoint();
    });
    const lowlevel::cancel_cause* const cause = scope.status().cause();
    ANYIO_REQUIRE(cause);
    EXPECT_EQ(cause->reason, "first");
    EXPECT_EQ(cause->where.line(), line);
    EXPECT_EQ(cause->task_id, get_current_task().id());
}

ANYIO_TEST(cancel_scope, cancelled_by_its_deadline_keeps_that_as_its_cause) {
    cancel_scope scope({.deadline = current_time() + 1s});
    co_await with(scope, [&]() -> task<> {
        auto slept = co_await as_outcome(sleep_forever());
        EXPECT_TRUE(slept.is_cancelled());
        scope.cancel("too late");
        co_await lowlevel::checkpoint();
    });
    EXPECT_TRUE(scope.status().has(lowlevel::scope_by_deadline));
    EXPECT_EQ(scope.status().cause(), nullptr);
}

ANYIO_TEST(cancel_scope, cancels_every_checkpoint_inside_not_only_the_first) {
    int cancelled = 0;
    event set;
    set.set();
    lowlevel::parking_lot lot;
    cancel_scope scope;
    scope.cancel();
    const bool finished = co_await with(scope, [&]() -> task<> {
        for (int i = 0; i < 3; ++i) {
            const auto yielded = co_await as_outcome(lowlevel::checkpoint());
            cancelled += yielded.is_cancelled();
            const auto looked =
                co_await as_outcome(lowlevel::checkpoint_if_cancelled());
            cancelled += looked.is_cancelled();
            const auto slept = co_await as_outcome(sleep(1s));
            cancelled += slept.is_cancelled();
            const auto waited = co_await as_outcome(set.wait());
            cancelled += waited.is_cancelled();
            const auto parked = co_await as_outcome(lot.park());
            cancelled += parked.is_cancelled();
        }
    });
    EXPECT_EQ(cancelled, 15);
    EXPECT_TRUE(finished) << "every cancellation was stopped, so nothing cut it short";
    EXPECT_FALSE(scope.cancelled_caught());
}

ANYIO_TEST(cancel_scope, that_met_no_checkpoint_has_caught_nothing) {
    cancel_scope scope;
    const auto value = co_await with(scope, [&]() -> task<int> {
        scope.cancel();
        co_return 7;
    });
    EXPECT_EQ(value, 7);
    EXPECT_TRUE(scope.cancel_called());
    EXPECT_FALSE(scope.cancelled_caught());
    co_await lowlevel::checkpoint();  // and nothing comes later
}

ANYIO_TEST(cancel_scope, has_no_effect_once_its_block_has_ended) {
    cancel_scope scope;
    co_await with(scope, []() -> task<> { co_await lowlevel::checkpoint(); });
    scope.cancel();
    co_await lowlevel::checkpoint();
    scope.set_shield(true);
    scope.set_deadline(current_time());
    co_await lowlevel::checkpoint();
    EXPECT_FALSE(scope.cancelled_caught());
}

ANYIO_TEST(cancel_scope, lets_an_error_of_its_block_pass) {
    cancel_scope scope;
    auto ended = co_await as_outcome(with(scope, [&]() -> task<> {
        scope.cancel();
        throw std::runtime_error("more important");
        co_return;
    }));
    EXPECT_TRUE(caught_as<std::runtime_error>(ended.error()));
    EXPECT_TRUE(scope.cancel_called());
    EXPECT_FALSE(scope.cancelled_caught());
}

ANYIO_TEST(
    cancel_scope, passes_an_error_of_the_cleanup_on_instead_of_the_cancellation
) {
    cancel_scope scope;
    auto ended = co_await as_outcome(with(scope, [&]() -> task<> {
        scope.cancel();
        auto slept = co_await as_outcome(sleep_forever());
        EXPECT_TRUE(slept.is_cancelled());
        throw std::runtime_error("cleanup failed");
    }));
    EXPECT_TRUE(caught_as<std::runtime_error>(ended.error()));
    EXPECT_FALSE(scope.cancelled_caught());
}

ANYIO_TEST(cancel_scope, runs_no_code_of_the_task_inside_cancel) {
    struct logs_its_end {
        ~logs_its_end() { log.push_back("destroyed"); }

        std::vector<std::string>& log;
    };

    std::vector<std::string> log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            const logs_its_end local{log};
            co_await sleep_forever();
        });
        co_await wait_all_tasks_blocked();
        tg.cancel();
        log.push_back("cancel() has returned");
    });
    EXPECT_THAT(log, ElementsAre("cancel() has returned", "destroyed"));
}

ANYIO_TEST(cancel_scope, may_be_cancelled_from_outside_any_task) {
    cancel_scope scope;
    const bool finished = co_await with(scope, [&]() -> task<> {
        lowlevel::current_token().run_sync_soon([&] { scope.cancel("by a function"); });
        co_await sleep_forever();
    });
    EXPECT_FALSE(finished);
    EXPECT_EQ(scope.status().cause()->task_id, 0u);
}

ANYIO_TEST(cancel_scope, cancels_at_once_and_only_once_however_often_it_is_called) {
    int aborts = 0;
    cancel_scope scope;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(scope, [&]() -> task<> {
                co_await lowlevel::wait_task_rescheduled("test", [&]() noexcept {
                    ++aborts;
                    return lowlevel::abort_result::done;
                });
            });
        });
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(aborts, 0);
        scope.cancel();
        EXPECT_EQ(aborts, 1);
        scope.cancel();
        scope.set_shield(true);
        scope.set_shield(false);
        scope.set_deadline(current_time());
        EXPECT_EQ(aborts, 1);
    });
    EXPECT_EQ(aborts, 1);
    EXPECT_TRUE(scope.cancelled_caught());
}

ANYIO_TEST(cancel_scope, gives_the_value_of_a_block_or_nothing) {
    cancel_scope first;
    const std::optional<std::string> whole =
        co_await with(first, [](cancel_scope& same) -> task<std::string> {
            EXPECT_FALSE(same.cancel_called());
            co_await lowlevel::checkpoint();
            co_return "value";
        });
    EXPECT_EQ(whole, "value");
    cancel_scope second;
    const std::optional<std::string> cut =
        co_await with(second, [](cancel_scope& same) -> task<std::string> {
            same.cancel();
            co_await lowlevel::checkpoint();
            co_return "value";
        });
    EXPECT_EQ(cut, std::nullopt);
}

ANYIO_TEST(cancel_scope, serves_a_plain_function_too) {
    cancel_scope scope;
    const bool finished =
        co_await with(scope, [](cancel_scope& same) { same.cancel(); });
    EXPECT_TRUE(finished) << "a plain function has no checkpoint";
    EXPECT_TRUE(scope.cancel_called());
    EXPECT_FALSE(scope.cancelled_caught());
    cancel_scope other;
    auto thrown =
        co_await as_outcome(with(other, [] { throw std::runtime_error("no"); }));
    EXPECT_TRUE(caught_as<std::runtime_error>(thrown.error()));
    co_await lowlevel::checkpoint();
}

ANYIO_TEST(cancel_scope, keeps_an_operation_that_begins_in_it_from_having_any_effect) {
    lowlevel::parking_lot lot;
    bool started = false;
    cancel_scope scope;
    co_await with(scope, [&]() -> task<> {
        scope.cancel();
        auto parked = co_await as_outcome(lot.park());
        EXPECT_TRUE(parked.is_cancelled());
        EXPECT_TRUE(lot.empty());
        co_await lowlevel::checkpoint_if_cancelled();
        started = true;
    });
    EXPECT_FALSE(started);
}

ANYIO_TEST(
    cancel_scope, whose_operation_has_its_result_already_waits_for_the_next_checkpoint
) {
    event ready;
    bool received = false;
    bool further = false;
    cancel_scope scope;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(scope, [&]() -> task<> {
                co_await ready.wait();
                received = true;
                co_await lowlevel::checkpoint();
                further = true;
            });
        });
        co_await wait_all_tasks_blocked();
        ready.set();
        scope.cancel();
    });
    EXPECT_TRUE(received);
    EXPECT_FALSE(further);
    EXPECT_TRUE(scope.cancelled_caught());
}
