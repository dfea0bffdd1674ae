// SPDX-License-Identifier: MIT
#include <anyio/cancellation/move_on_after.hpp>

#include <anyio/anyio.hpp>
#include <anyio/testing/test.hpp>

using namespace std::chrono_literals;
using anyio::task;

ANYIO_TEST(move_on_after, cuts_the_block_short_when_the_time_is_up) {
    const auto start = anyio::current_time();
    const bool finished = co_await anyio::with(anyio::move_on_after(1h), []() -> task<> {
        co_await anyio::sleep_forever();
    });
    EXPECT_FALSE(finished);
    EXPECT_EQ(anyio::current_time() - start, 1h);
}
