// SPDX-License-Identifier: MIT
#include <anyio/cancellation/cancel_scope.hpp>
#include "support/anyio_test.hpp"

using anyio::cancel_scope;
using anyio::current_time;
using anyio::sleep;
using anyio::task;
using anyio::with;
using namespace std::chrono_literals;

ANYIO_TEST(relative_deadline, counts_from_when_the_block_begins) {
    cancel_scope scope({.relative_deadline = 2s});
    EXPECT_EQ(scope.relative_deadline(), 2s);
    co_await sleep(10s);
    const auto begin = current_time();
    const bool completed = co_await with(scope, [&]() -> task<> {
        EXPECT_FALSE(scope.relative_deadline());
        EXPECT_EQ(scope.deadline(), begin + 2s);
        co_await anyio::sleep_forever();
    });
    EXPECT_FALSE(completed);
    EXPECT_EQ(current_time() - begin, 2s);
}

ANYIO_TEST(relative_deadline, can_be_set_until_the_block_begins) {
    cancel_scope scope;
    EXPECT_FALSE(scope.relative_deadline());
    scope.set_relative_deadline(1s);
    EXPECT_EQ(scope.relative_deadline(), 1s);
    scope.set_deadline(current_time() + 5s);
    EXPECT_FALSE(scope.relative_deadline());
    scope.set_relative_deadline(3s);
    const auto begin = current_time();
    const bool completed = co_await with(scope, [&]() -> task<> {
        EXPECT_THROW(scope.set_relative_deadline(1s), anyio::usage_error);
        co_await anyio::sleep_forever();
    });
    EXPECT_FALSE(completed);
    EXPECT_EQ(current_time() - begin, 3s);
}
