// SPDX-License-Identifier: MIT
#include <anyio/testing/assert_checkpoints.hpp>

#include "support/anyio_test.hpp"

using namespace anyio;
using namespace std::chrono_literals;
using anyio::testing::assert_checkpoints;
using anyio::testing::assert_no_checkpoints;
using anyio::testing::assertion_error;
using ::testing::HasSubstr;

namespace {

task<int> answer() {
    co_return 42;
}

}  // namespace

ANYIO_TEST(assert_checkpoints, passes_the_result_of_a_checkpoint_on) {
    auto make = []() -> task<int> {
        co_await lowlevel::checkpoint();
        co_return 7;
    };
    const int result = co_await assert_checkpoints(make);
    EXPECT_EQ(result, 7);
}

ANYIO_TEST(assert_checkpoints, takes_operations_that_are_ready) {
    event ready;
    ready.set();
    co_await assert_checkpoints([&] { return ready.wait(); });
    co_await assert_checkpoints([&] { return sleep(-1s); });
}

ANYIO_TEST(assert_checkpoints, refuses_what_runs_to_its_end_in_a_cancelled_scope) {
    const auto checked = co_await as_outcome(assert_checkpoints(answer));
    EXPECT_THAT(
        message_of(checked.error()),
        HasSubstr("the operation completed in a cancelled scope; it must look for "
                  "cancellation before it does anything")
    );
    EXPECT_TRUE(is_error<assertion_error>(checked.error()));
}

ANYIO_TEST(assert_checkpoints, refuses_what_only_lets_others_run) {
    const auto checked = co_await as_outcome(assert_checkpoints([] {
        return lowlevel::cancel_shielded_checkpoint();
    }));
    EXPECT_TRUE(is_error<assertion_error>(checked.error()));
}

ANYIO_TEST(assert_no_checkpoints, lets_through_what_ends_at_once) {
    co_await assert_no_checkpoints(answer);
}

ANYIO_TEST(assert_no_checkpoints, refuses_what_looks_for_cancellation) {
    const auto checked = co_await as_outcome(assert_no_checkpoints([] {
        return lowlevel::checkpoint_if_cancelled();
    }));
    EXPECT_THAT(
        message_of(checked.error()), HasSubstr("the operation looked for cancellation")
    );
}

ANYIO_TEST(assert_no_checkpoints, refuses_what_lets_others_run) {
    const auto checked = co_await as_outcome(assert_no_checkpoints([] {
        return lowlevel::cancel_shielded_checkpoint();
    }));
    EXPECT_THAT(
        message_of(checked.error()), HasSubstr("the operation let other tasks run")
    );
}
