// SPDX-License-Identifier: MIT
// EXPECT: start_soon\(\) does not wait, so there is nothing to await: drop the co_await
// EXPECT: co_await tg\.start\(f\) waits until f is ready, create_task\(f\) gives a handle
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

anyio::task<> child();

anyio::task<> misuse(anyio::task_group& tg) {
    co_await tg.start_soon(child);
}
