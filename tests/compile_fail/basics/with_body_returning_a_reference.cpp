// SPDX-License-Identifier: MIT
// EXPECT: body must return task<T> with a value, not a reference
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

anyio::task<> misuse() {
    int number = 7;
    co_await anyio::with(anyio::create_task_group(), [&]() -> anyio::task<int&> {
        co_return number;
    });
}
