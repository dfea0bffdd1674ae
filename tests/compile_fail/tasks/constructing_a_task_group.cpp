// SPDX-License-Identifier: MIT
// EXPECT: a task group exists only in its block: co_await with\(create_task_group\(\),
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

void misuse() {
    anyio::task_group tg;
}
