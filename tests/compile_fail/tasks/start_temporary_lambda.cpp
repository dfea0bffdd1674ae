// SPDX-License-Identifier: MIT
// ONLY: gcc
// EXPECT: g\+\+ 12 destroys by-value captures of a lambda temporary in a co_await expression twice
// EXPECT: capture by reference, or name the lambda first
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

#include <string>

anyio::task<> misuse(anyio::task_group& tg) {
    const std::string host = "localhost";
    co_await tg.start([host](anyio::task_status<> status) -> anyio::task<> {
        status.started();
        co_return;
    });
}
