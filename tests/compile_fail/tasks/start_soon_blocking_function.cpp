// SPDX-License-Identifier: MIT
// EXPECT: f must be a coroutine, returning task<\.\.\.>; for a function that blocks or computes, use to_thread::run_sync
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

int fibonacci(int n);

void misuse(anyio::task_group& tg) {
    tg.start_soon(fibonacci, 40);
}
