// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/wait_task_rescheduled.hpp>

#include "support/anyio_test.hpp"
#include "support/census.hpp"

using namespace anyio;
using namespace std::chrono_literals;
using lowlevel::abort_result;
using lowlevel::task_state;
using support::census;
using support::counted;
using ::testing::HasSubstr;

namespace {

/// An API with callbacks: begin() it, and its owner completes it later.
struct machine {
    task_state* waiting = nullptr;
    int value = 0;
    int aborts = 0;
    abort_result answer = abort_result::done;

    /// As a user would write it.
    task<int> read() {
        waiting = &lowlevel::current();
        co_await lowlevel::wait_task_rescheduled("machine", [this]() noexcept {
            ++aborts;
            return answer;
        });
        waiting = nullptr;
        co_return value;
    }

    void complete(int v) {
        value = v;
        lowlevel::reschedule(*waiting);
    }
};

}  // namespace

ANYIO_TEST(wait_task_rescheduled, waits_until_somebody_reschedules_the_task) {
    machine m;
    int got = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { got = co_await m.read(); });
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(got, 0);
        m.complete(7);
        EXPECT_EQ(got, 0) << "it runs when the loop comes to it";
    });
    EXPECT_EQ(got, 7);
    EXPECT_EQ(m.aborts, 0);
}

ANYIO_TEST(wait_task_rescheduled, is_rescheduled_by_a_function_of_the_loop) {
    machine m;
    lowlevel::current_token().run_sync_soon([&] { m.complete(3); });
    const int got = co_await m.read();
    EXPECT_EQ(got, 3);
}

ANYIO_TEST(wait_task_rescheduled, aborted_for_good_unwinds_at_once) {
    machine m;
    census people;
    cancel_scope scope;
    const bool finished =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                const bool whole = co_await with(scope, [&]() -> task<> {
                    const counted local(people);
                    co_await m.read();
                    ADD_FAILURE();
                });
                EXPECT_FALSE(whole);
            });
            co_await wait_all_tasks_blocked();
            scope.cancel();
            EXPECT_EQ(m.aborts, 1) << "called inside of cancel()";
            EXPECT_EQ(people.alive(), 1) << "but nothing is unwound there";
        });
    EXPECT_TRUE(finished);
    EXPECT_EQ(m.aborts, 1);
    EXPECT_TRUE(people.balanced());
}

ANYIO_TEST(
    wait_task_rescheduled, with_a_pending_abort_keeps_its_frame_and_its_result_wins
) {
    machine m{.answer = abort_result::pending};
    census people;
    int got = 0;
    bool further = false;
    cancel_scope scope;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(scope, [&]() -> task<> {
                const counted buffer(people);
                got = co_await m.read();
                co_await lowlevel::checkpoint();
                further = true;
            });
        });
        co_await wait_all_tasks_blocked();
        scope.cancel();
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(people.alive(), 1) << "the operation may still use it";
        m.complete(9);
    });
    EXPECT_EQ(got, 9);
    EXPECT_FALSE(further);
    EXPECT_TRUE(scope.cancelled_caught());
    EXPECT_TRUE(people.balanced());
    EXPECT_EQ(m.aborts, 1);
}

ANYIO_TEST(wait_task_rescheduled, with_a_pending_abort_may_end_as_cancelled_later) {
    machine m{.answer = abort_result::pending};
    bool passed = false;
    cancel_scope scope;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(scope, [&]() -> task<> {
                co_await m.read();
                passed = true;
            });
        });
        co_await wait_all_tasks_blocked();
        scope.cancel();
        co_await wait_all_tasks_blocked();
        lowlevel::reschedule_cancelled(*m.waiting);
    });
    EXPECT_FALSE(passed);
    EXPECT_TRUE(scope.cancelled_caught());
}

ANYIO_TEST(wait_task_rescheduled, is_aborted_once_however_many_scopes_are_cancelled) {
    machine m{.answer = abort_result::pending};
    cancel_scope outer;
    cancel_scope inner;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(outer, inner, [&]() -> task<> {
                co_await m.read();
                co_await lowlevel::checkpoint();
            });
        });
        co_await wait_all_tasks_blocked();
        inner.cancel();
        outer.cancel();
        inner.set_shield(true);
        inner.set_shield(false);
        tg.cancel();
        EXPECT_EQ(m.aborts, 1);
        m.complete(1);
    });
    EXPECT_EQ(m.aborts, 1);
}

ANYIO_TEST(wait_task_rescheduled, whose_result_came_first_is_not_aborted) {
    machine m;
    int got = 0;
    cancel_scope scope;
    const bool finished =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await with(scope, [&]() -> task<> { got = co_await m.read(); });
            });
            co_await wait_all_tasks_blocked();
            m.complete(4);
            scope.cancel();
        });
    EXPECT_TRUE(finished);
    EXPECT_EQ(got, 4);
    EXPECT_EQ(m.aborts, 0);
    EXPECT_FALSE(scope.cancelled_caught());
}

ANYIO_TEST(wait_task_rescheduled, in_a_cancelled_scope_is_aborted_as_it_begins) {
    machine done;
    machine pending{.answer = abort_result::pending};
    cancel_scope first;
    first.cancel();
    const bool cut = co_await with(first, [&]() -> task<> {
        co_await done.read();
        ADD_FAILURE();
    });
    EXPECT_FALSE(cut);
    EXPECT_EQ(done.aborts, 1);

    cancel_scope second;
    second.cancel();
    int got = 0;
    const bool whole = co_await with(second, [&]() -> task<> {
        lowlevel::current_token().run_sync_soon([&] { pending.complete(6); });
        got = co_await pending.read();
    });
    EXPECT_TRUE(whole) << "the result decides";
    EXPECT_EQ(got, 6);
    EXPECT_EQ(pending.aborts, 1);
}

ANYIO_TEST(wait_task_rescheduled, in_a_shield_is_aborted_when_the_shield_is_lowered) {
    machine m;
    cancel_scope outer;
    cancel_scope inner({.shield = true});
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(outer, inner, [&]() -> task<> { co_await m.read(); });
        });
        co_await wait_all_tasks_blocked();
        outer.cancel();
        EXPECT_EQ(m.aborts, 0);
        inner.set_shield(false);
        EXPECT_EQ(m.aborts, 1);
    });
    EXPECT_TRUE(outer.cancelled_caught());
}

ANYIO_TEST(wait_task_rescheduled, may_be_aborted_again_at_the_next_wait) {
    machine m{.answer = abort_result::pending};
    cancel_scope scope;
    int cancelled = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(scope, [&]() -> task<> {
                const int first = co_await m.read();
                EXPECT_EQ(first, 1);
                m.answer = abort_result::done;
                auto second = co_await as_outcome(m.read());
                cancelled += second.is_cancelled();
                auto third = co_await as_outcome(m.read());
                cancelled += third.is_cancelled();
            });
        });
        co_await wait_all_tasks_blocked();
        scope.cancel();
        m.complete(1);
    });
    EXPECT_EQ(m.aborts, 3);
    EXPECT_EQ(cancelled, 2);
}

ANYIO_TEST(wait_task_rescheduled, fits_under_timeouts_and_blocks) {
    machine m;
    auto late = co_await as_outcome(fail_after(1s, m.read()));
    EXPECT_TRUE(is_error<timeout_error>(late.error()));
    EXPECT_EQ(m.aborts, 1);
    const bool moved_on = co_await move_on_after(
        1s,
        lowlevel::wait_task_rescheduled(
            "direct", []() noexcept { return abort_result::done; }
        )
    );
    EXPECT_FALSE(moved_on);
}

TEST(wait_task_rescheduled, is_named_in_reports) {
    std::string report;
    try {
        run([]() -> task<> {
            machine m;
            co_await m.read();
        });
    } catch (const deadlock_error& e) {
        report = e.what();
    }
    EXPECT_THAT(report, HasSubstr("machine"));
}

TEST(current_task, is_an_error_outside_of_tasks) {
    const std::string message =
        message_thrown_by<no_event_loop_error>([] { (void)lowlevel::current(); });
    EXPECT_THAT(
        message, HasSubstr("lowlevel::current: no event loop runs in this thread")
    );
}
