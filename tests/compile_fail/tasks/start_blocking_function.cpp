// SPDX-License-Identifier: MIT
// EXPECT: f must be a coroutine, returning task<\.\.\.>; for a function that blocks or computes, use to_thread::run_sync
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

void child(anyio::task_status<> status);

anyio::task<> misuse(anyio::task_group& tg) {
    co_await tg.start(child);
}
