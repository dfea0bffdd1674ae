// SPDX-License-Identifier: MIT
// EXPECT: body must be callable with references to what was entered, in that order
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

anyio::task<> misuse() {
    co_await anyio::with(
        anyio::create_task_group(),
        [](anyio::task_group tg) -> anyio::task<> { co_return; }
    );
}
