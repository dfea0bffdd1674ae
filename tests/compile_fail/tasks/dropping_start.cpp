// SPDX-License-Identifier: MIT
// EXPECT: start\(\) begins the child when you co_await it
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

anyio::task<> child(anyio::task_status<> status);

void misuse(anyio::task_group& tg) {
    tg.start(child);
}
