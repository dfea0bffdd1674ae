// SPDX-License-Identifier: MIT
// EXPECT: task_status<T>: T is over-aligned, and frames of coroutines, where start\(\) leaves it, are aligned to 16 bytes
#include <anyio/tasks/task_group.hpp>

struct alignas(32) vector8 {
    float values[8];
};

anyio::task<> serve(anyio::task_status<vector8> status);

anyio::task<> misuse(anyio::task_group& tg) {
    co_await tg.start(serve);
}
