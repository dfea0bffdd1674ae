// SPDX-License-Identifier: MIT
// ONLY: gcc
// EXPECT: g\+\+ 12 destroys by-value captures of a lambda temporary in a co_await expression twice
// EXPECT: capture by reference, or name the lambda first
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

#include <string>

anyio::task<> misuse() {
    const std::string host = "localhost";
    co_await anyio::with(anyio::create_task_group(), [host]() -> anyio::task<> {
        co_return;
    });
}
