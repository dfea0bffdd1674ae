// SPDX-License-Identifier: MIT
// EXPECT: the last parameter of f must be a task_status<V>, by which f says that it is ready
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

anyio::task<> child(int port);

anyio::task<> misuse(anyio::task_group& tg) {
    co_await tg.start(child, 80);
}
