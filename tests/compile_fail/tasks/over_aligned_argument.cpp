// SPDX-License-Identifier: MIT
// EXPECT: over-aligned types are not supported as captures, arguments or results of a task
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

struct alignas(64) line {
    char bytes[64];
};

anyio::task<> child(line);

void misuse(anyio::task_group& tg) {
    tg.start_soon(child, line());
}
