// SPDX-License-Identifier: MIT
// EXPECT: f cannot be called with these arguments and a task_status
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

#include <string>

anyio::task<> child(std::string name, int port, anyio::task_status<> status);

anyio::task<> misuse(anyio::task_group& tg) {
    co_await tg.start(child, "name");
}
