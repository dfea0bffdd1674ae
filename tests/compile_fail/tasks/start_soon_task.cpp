// SPDX-License-Identifier: MIT
// EXPECT: takes a function, not a task: write start_soon\(f, x\) instead of start_soon\(f\(x\)\)
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

anyio::task<> child(int number);

void misuse(anyio::task_group& tg) {
    tg.start_soon(child(1));
}
