// SPDX-License-Identifier: MIT
// EXPECT: f gives an operation, not a task; start_soon a coroutine that awaits it
#include <anyio/basics/sleep.hpp>
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

void misuse(anyio::task_group& tg) {
    tg.start_soon(anyio::sleep, std::chrono::seconds(1));
}
