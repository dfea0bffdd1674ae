// SPDX-License-Identifier: MIT
// EXPECT: body must be callable with references to what was entered, in that order
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

#include <string>

anyio::task<> misuse() {
    co_await anyio::with(
        anyio::create_task_group(),
        [](std::string& text) -> anyio::task<> { co_return; }
    );
}
