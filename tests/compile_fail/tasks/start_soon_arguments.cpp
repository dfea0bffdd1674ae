// SPDX-License-Identifier: MIT
// EXPECT: f cannot be called with these arguments
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

#include <string>

anyio::task<> child(std::string name, int port);

void misuse(anyio::task_group& tg) {
    tg.start_soon(child, "name");
}
