// SPDX-License-Identifier: MIT
// EXPECT: f cannot be called with these arguments
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

anyio::task<int> child(int number);

void misuse(anyio::task_group& tg) {
    auto handle = tg.create_task(child);
}
