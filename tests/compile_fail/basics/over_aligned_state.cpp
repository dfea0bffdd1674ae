// SPDX-License-Identifier: MIT
// EXPECT: an over-aligned temporary in a co_await expression: it lives in the frame of the coroutine
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

struct alignas(64) counter {
    long value = 0;
};

anyio::task<> misuse() {
    auto body = [](anyio::task_group&, counter&) {};
    co_await anyio::with(anyio::create_task_group(), counter(), body);
}
