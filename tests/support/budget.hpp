// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Whether an operation that has nothing to wait for lets others run all the same.

#include <anyio/lowlevel/loop_state.hpp>
#include "support/anyio_test.hpp"

namespace support {

/// How many times a task can do something before another one that is ready runs; at most
/// `most`. `operation` is `[&]() -> task<> { ... }`, and does it once.
template <class F>
anyio::task<int> times_until_others_run(F& operation, int most) {
    bool have_run = false;
    int times = 0;
    auto body = [&](anyio::task_group& tg) -> anyio::task<> {
        co_await anyio::lowlevel::checkpoint();  // a step of our own: a fresh budget
        tg.start_soon([&]() -> anyio::task<> {
            have_run = true;
            co_return;
        });
        while (!have_run && times < most) {
            co_await operation();
            ++times;
        }
    };
    co_await anyio::with(anyio::create_task_group(), body);
    co_return times;
}

/// The same as an expectation: not more often than the budget of a step allows.
template <class F>
anyio::task<> expect_lets_others_run(F operation, const char* what) {
    constexpr int most = anyio::lowlevel::step_budget + 1;
    const int times = co_await times_until_others_run(operation, 10 * most);
    EXPECT_LE(times, most) << what;
}

}  // namespace support
