// SPDX-License-Identifier: MIT
#include <anyio/cancellation/current_effective_deadline.hpp>

#include "support/anyio_test.hpp"

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

namespace {
constexpr time_point cancelled = time_point::min();
}  // namespace

ANYIO_TEST(current_effective_deadline, is_never_if_no_scope_has_one) {
    EXPECT_EQ(current_effective_deadline(), never);
    co_await with(cancel_scope(), []() -> task<> {
        EXPECT_EQ(current_effective_deadline(), never);
        co_return;
    });
}

ANYIO_TEST(current_effective_deadline, is_the_earliest_of_the_scopes_around_the_task) {
    const time_point start = current_time();
    co_await with(move_on_after(5s), [&]() -> task<> {
        EXPECT_EQ(current_effective_deadline(), start + 5s);
        co_await with(move_on_after(9s), [&]() -> task<> {
            EXPECT_EQ(current_effective_deadline(), start + 5s);
            co_await with(move_on_after(3s), [&]() -> task<> {
                EXPECT_EQ(current_effective_deadline(), start + 3s);
                co_await sleep(1s);
                EXPECT_EQ(current_effective_deadline(), start + 3s) << "it is absolute";
            });
            EXPECT_EQ(current_effective_deadline(), start + 5s);
        });
    });
    EXPECT_EQ(current_effective_deadline(), never);
}

ANYIO_TEST(current_effective_deadline, stops_at_a_shield) {
    const time_point start = current_time();
    co_await with(move_on_after(5s), [&]() -> task<> {
        co_await with(shield(), [&]() -> task<> {
            EXPECT_EQ(current_effective_deadline(), never);
            co_await with(move_on_after(9s), [&]() -> task<> {
                EXPECT_EQ(current_effective_deadline(), start + 9s);
                co_return;
            });
        });
        co_await with(move_on_after(7s, true), [&](cancel_scope& scope) -> task<> {
            EXPECT_EQ(current_effective_deadline(), start + 7s);
            scope.set_shield(false);
            EXPECT_EQ(current_effective_deadline(), start + 5s);
            co_return;
        });
    });
}

ANYIO_TEST(
    current_effective_deadline, is_the_earliest_of_all_times_if_the_task_is_cancelled
) {
    cancel_scope scope({.deadline = current_time() + 5s});
    co_await with(scope, [&]() -> task<> {
        scope.cancel();
        EXPECT_EQ(current_effective_deadline(), cancelled);
        co_await with(move_on_after(9s), []() -> task<> {
            EXPECT_EQ(current_effective_deadline(), cancelled);
            co_return;
        });
        co_await with(shield(), []() -> task<> {
            EXPECT_EQ(current_effective_deadline(), never);
            co_return;
        });
        EXPECT_EQ(current_effective_deadline(), cancelled);
    });
    EXPECT_EQ(current_effective_deadline(), never);
}

ANYIO_TEST(current_effective_deadline, follows_deadlines_that_move) {
    const time_point start = current_time();
    co_await with(move_on_after(5s), [&](cancel_scope& scope) -> task<> {
        scope.set_deadline(start + 1min);
        EXPECT_EQ(current_effective_deadline(), start + 1min);
        scope.set_deadline(never);
        EXPECT_EQ(current_effective_deadline(), never);
        scope.set_deadline(start);
        EXPECT_EQ(current_effective_deadline(), cancelled);
        co_return;
    });
}

ANYIO_TEST(current_effective_deadline, in_a_child_task_is_that_of_its_group) {
    const time_point start = current_time();
    co_await with(
        move_on_after(5s),
        create_task_group(),
        [&](task_group& tg) -> task<> {
            co_await with(move_on_after(1s), [&]() -> task<> {
                tg.start_soon([&]() -> task<> {
                    EXPECT_EQ(current_effective_deadline(), start + 5s);
                    co_return;
                });
                co_await lowlevel::checkpoint();
            });
            tg.cancel_scope().set_deadline(start + 2s);
            tg.start_soon([&]() -> task<> {
                EXPECT_EQ(current_effective_deadline(), start + 2s);
                co_return;
            });
            co_return;
        }
    );
}

ANYIO_TEST(current_effective_deadline, counts_in_the_short_forms_too) {
    const time_point start = current_time();
    auto deadline = []() -> task<time_point> {
        co_return current_effective_deadline();
    };
    const auto in_move_on = co_await move_on_after(5s, deadline());
    EXPECT_EQ(in_move_on, start + 5s);
    const time_point in_fail = co_await fail_after(3s, shielded(deadline()));
    EXPECT_EQ(in_fail, never);
    const time_point at = co_await fail_at(start + 4s, deadline());
    EXPECT_EQ(at, start + 4s);
}

TEST(current_effective_deadline, outside_of_a_loop_is_an_error_that_says_so) {
    const std::string message = message_thrown_by<no_event_loop_error>([] {
        (void)current_effective_deadline();
    });
    EXPECT_THAT(message, HasSubstr("current_effective_deadline"));
    EXPECT_THAT(message, HasSubstr("no event loop runs in this thread"));
}
