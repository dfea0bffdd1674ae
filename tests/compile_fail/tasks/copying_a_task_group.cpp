// SPDX-License-Identifier: MIT
// EXPECT-GCC: use of deleted function .anyio::task_group::task_group\(const anyio::task_group&\)
// EXPECT-CLANG: call to deleted constructor of .*task_group
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

void misuse(anyio::task_group& tg) {
    auto copy = tg;
}
