// SPDX-License-Identifier: MIT
#include <anyio/cancellation/move_on_after.hpp>

#include "support/anyio_test.hpp"

using namespace anyio;
using namespace std::chrono_literals;

ANYIO_TEST(move_on_after, cuts_the_block_short_when_the_time_is_up) {
    const auto start = current_time();
    const bool finished =
        co_await with(move_on_after(1h), []() -> task<> { co_await sleep_forever(); });
    EXPECT_FALSE(finished);
    EXPECT_EQ(current_time() - start, 1h);
}

ANYIO_TEST(move_on_after, gives_the_value_of_a_block_that_is_in_time) {
    const auto value = co_await with(move_on_after(1s), []() -> task<std::string> {
        co_await sleep(999ms);
        co_return "in time";
    });
    EXPECT_EQ(value, "in time");
    const auto nothing = co_await with(move_on_after(1s), []() -> task<std::string> {
        co_await sleep(1001ms);
        co_return "too late";
    });
    EXPECT_EQ(nothing, std::nullopt);
}

ANYIO_TEST(move_on_after, hands_its_scope_to_the_body) {
    const time_point start = current_time();
    const bool finished =
        co_await with(move_on_after(1s), [&](cancel_scope& scope) -> task<> {
            EXPECT_EQ(scope.deadline(), start + 1s);
            scope.set_deadline(start + 3s);
            co_await sleep(2s);
            EXPECT_FALSE(scope.cancel_called());
            co_await sleep_forever();
        });
    EXPECT_FALSE(finished);
    EXPECT_EQ(current_time() - start, 3s);
}

ANYIO_TEST(move_on_after, tells_by_its_scope_that_it_cut_the_block) {
    auto scope = move_on_after(1s);
    co_await with(scope, []() -> task<> { co_await sleep_forever(); });
    EXPECT_TRUE(scope.cancel_called());
    EXPECT_TRUE(scope.cancelled_caught());
    auto generous = move_on_after(1h);
    co_await with(generous, []() -> task<> { co_await sleep(1s); });
    EXPECT_FALSE(generous.cancel_called());
    EXPECT_FALSE(generous.cancelled_caught());
}

ANYIO_TEST(move_on_after, of_for_ever_has_no_deadline) {
    const bool finished =
        co_await with(move_on_after(forever), [](cancel_scope& scope) -> task<> {
            EXPECT_EQ(scope.deadline(), never);
            co_await sleep(std::chrono::years(10));
        });
    EXPECT_TRUE(finished);
    const bool slept = co_await move_on_after(forever, sleep(1h));
    EXPECT_TRUE(slept);
    const bool huge = co_await move_on_after(std::chrono::hours::max(), sleep(1h));
    EXPECT_TRUE(huge);
}

ANYIO_TEST(move_on_after, of_zero_or_less_runs_to_the_first_checkpoint) {
    int begun = 0;
    for (const duration timeout : {duration(0), duration(-1), duration::min()}) {
        const bool finished = co_await with(move_on_after(timeout), [&]() -> task<> {
            ++begun;
            co_await lowlevel::checkpoint();
            ADD_FAILURE();
        });
        EXPECT_FALSE(finished);
        const bool whole =
            co_await with(move_on_after(timeout), []() -> task<> { co_return; });
        EXPECT_TRUE(whole) << "it met no checkpoint";
    }
    EXPECT_EQ(begun, 3);
}

ANYIO_TEST(move_on_after, with_a_shield_limits_a_cleanup_that_nobody_else_cuts_short) {
    const time_point start = current_time();
    cancel_scope outer;
    co_await with(outer, [&]() -> task<> {
        outer.cancel();
        const bool quick = co_await with(move_on_after(5s, true), []() -> task<> {
            co_await sleep(1s);
        });
        EXPECT_TRUE(quick);
        const bool slow = co_await with(move_on_after(5s, true), []() -> task<> {
            co_await sleep_forever();
        });
        EXPECT_FALSE(slow);
        co_await lowlevel::checkpoint();
        ADD_FAILURE();
    });
    EXPECT_EQ(current_time() - start, 6s);
}

ANYIO_TEST(move_on_at, has_an_absolute_deadline) {
    const time_point start = current_time();
    auto scope = move_on_at(start + 10s);
    co_await sleep(4s);
    const bool finished =
        co_await with(scope, []() -> task<> { co_await sleep_forever(); });
    EXPECT_FALSE(finished);
    EXPECT_EQ(current_time() - start, 10s);
    const bool slept = co_await move_on_at(start + 20s, sleep_forever());
    EXPECT_FALSE(slept);
    EXPECT_EQ(current_time() - start, 20s);
    const bool passed = co_await move_on_at(start, sleep(1s));
    EXPECT_FALSE(passed);
    const bool endless = co_await move_on_at(never, sleep(1s));
    EXPECT_TRUE(endless);
}

// --- the short form -------------------------------------------------------------------

namespace {

task<int> after_a_while(duration time, int value) {
    co_await sleep(time);
    co_return value;
}

task<int> at_once(int value) {
    co_return value;
}

task<> fails_after(duration time) {
    co_await sleep(time);
    throw std::runtime_error("failed");
}

}  // namespace

ANYIO_TEST(move_on_after_short_form, gives_what_a_task_returns_or_nothing) {
    const std::optional<int> in_time =
        co_await move_on_after(1s, after_a_while(999ms, 5));
    EXPECT_EQ(in_time, 5);
    const std::optional<int> late =
        co_await move_on_after(1s, after_a_while(1001ms, 5));
    EXPECT_EQ(late, std::nullopt);
    const std::optional<int> immediate = co_await move_on_after(0s, at_once(5));
    EXPECT_EQ(immediate, 5) << "it met no checkpoint";
    task<int> named = after_a_while(1ms, 6);
    const std::optional<int> moved = co_await move_on_after(1s, std::move(named));
    EXPECT_EQ(moved, 6);
}

ANYIO_TEST(move_on_after_short_form, tells_whether_an_operation_was_in_time) {
    event set;
    set.set();
    const event unset;
    const bool ready = co_await move_on_after(1s, set.wait());
    EXPECT_TRUE(ready);
    event other;
    const bool late = co_await move_on_after(1s, other.wait());
    EXPECT_FALSE(late);
    EXPECT_EQ(other.statistics().tasks_waiting, 0u);
    const bool yielded = co_await move_on_after(1s, lowlevel::checkpoint());
    EXPECT_TRUE(yielded);
    const bool slept = co_await move_on_after(1s, sleep(0s));
    EXPECT_TRUE(slept);
}

ANYIO_TEST(
    move_on_after_short_form, keeps_an_operation_from_beginning_if_no_time_is_left
) {
    lowlevel::parking_lot lot;
    const bool parked = co_await move_on_after(0s, lot.park());
    EXPECT_FALSE(parked);
    event set;
    set.set();
    const bool waited = co_await move_on_after(-1s, set.wait());
    EXPECT_FALSE(waited);
    const bool yielded = co_await move_on_after(0s, lowlevel::checkpoint());
    EXPECT_FALSE(yielded);
}

ANYIO_TEST(move_on_after_short_form, counts_from_the_await) {
    const time_point start = current_time();
    auto operation = [] { return after_a_while(1s, 1); };
    co_await sleep(10s);
    const auto value = co_await move_on_after(2s, operation());
    EXPECT_EQ(value, 1);
    EXPECT_EQ(current_time() - start, 11s);
}

ANYIO_TEST(move_on_after_short_form, passes_errors_on) {
    auto thrown = co_await as_outcome(move_on_after(1s, fails_after(1ms)));
    EXPECT_TRUE(is_error<std::runtime_error>(thrown.error()));
    auto at_start = co_await as_outcome(move_on_after(1s, fails_after(0s)));
    EXPECT_TRUE(is_error<std::runtime_error>(at_start.error()));
    auto too_late = co_await as_outcome(move_on_after(1s, fails_after(2s)));
    EXPECT_TRUE(too_late.has_value());
    co_await lowlevel::checkpoint();
}

ANYIO_TEST(
    move_on_after_short_form, passes_an_error_of_an_operation_that_fails_at_once_on
) {
    struct refuses : lowlevel::awaitable_base {
        [[nodiscard]] bool await_ready() const { throw std::runtime_error("refused"); }

        void await_suspend(std::coroutine_handle<>) const {}

        void await_resume() const {}
    };

    auto thrown = co_await as_outcome(move_on_after(1s, refuses()));
    EXPECT_TRUE(is_error<std::runtime_error>(thrown.error()));
    EXPECT_EQ(lowlevel::current().scope, lowlevel::this_loop->root_scope);
    co_await lowlevel::checkpoint();
}

ANYIO_TEST(move_on_after_short_form, nests_and_the_shorter_time_counts) {
    const time_point start = current_time();
    const std::optional<bool> inner =
        co_await move_on_after(10s, move_on_after(1s, sleep_forever()));
    EXPECT_EQ(inner, false);
    EXPECT_EQ(current_time() - start, 1s);
    const std::optional<bool> outer =
        co_await move_on_after(1s, move_on_after(10s, sleep_forever()));
    EXPECT_EQ(outer, std::nullopt);
    EXPECT_EQ(current_time() - start, 2s);
}

ANYIO_TEST(move_on_after_short_form, takes_a_whole_block) {
    int value = 0;
    const auto finished = co_await move_on_after(
        1s,
        with(
            create_task_group(),
            [&](task_group& tg) -> task<> {
                tg.start_soon([&]() -> task<> {
                    co_await sleep(1ms);
                    ++value;
                });
                tg.start_soon([]() -> task<> { co_await sleep_forever(); });
                co_return;
            }
        )
    );
    EXPECT_EQ(finished, std::nullopt);
    EXPECT_EQ(value, 1);
    const auto plain = co_await move_on_after(1s, with(shield(), [] {}));
    EXPECT_EQ(plain, true);
}

ANYIO_TEST(move_on_after_short_form, waits_for_a_task_by_its_handle) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto slow = tg.create_task(after_a_while, 10s, 1);
        const bool ended = co_await move_on_after(1s, slow.wait());
        EXPECT_FALSE(ended);
        EXPECT_EQ(slow.status(), task_handle_status::pending) << "it goes on";
        const std::optional<int> late = co_await move_on_after(1s, slow);
        EXPECT_EQ(late, std::nullopt);
        const std::optional<int> in_time = co_await move_on_after(10s, slow);
        EXPECT_EQ(in_time, 1);
    });
}

ANYIO_TEST(move_on_after_short_form, is_cut_short_from_outside_like_anything_else) {
    cancel_scope outer;
    const bool finished = co_await with(outer, [&]() -> task<> {
        outer.set_deadline(current_time() + 1s);
        co_await move_on_after(1h, sleep_forever());
        ADD_FAILURE();
    });
    EXPECT_FALSE(finished);
}

ANYIO_TEST(
    move_on_after_short_form, lets_the_result_win_that_came_before_the_end_of_time
) {
    event ready;
    bool received = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            received = co_await move_on_after(1s, ready.wait());
        });
        co_await sleep(1s - 1ns);
        ready.set();
    });
    EXPECT_TRUE(received);
}
