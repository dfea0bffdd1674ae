// SPDX-License-Identifier: MIT
// EXPECT: body must be a coroutine, returning task<\.\.\.>, or a plain function returning void
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

anyio::task<> misuse() {
    co_await anyio::with(anyio::create_task_group(), [](anyio::task_group&) {
        return 7;
    });
}
