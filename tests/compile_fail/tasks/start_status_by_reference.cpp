// SPDX-License-Identifier: MIT
// EXPECT: tg.start\(f, args...\): f takes its task_status by reference, but it is made for the call; take it by value
#include <anyio/tasks/task_group.hpp>

anyio::task<> serve(int port, anyio::task_status<int>& status);

anyio::task<> misuse(anyio::task_group& tg) {
    co_await tg.start(serve, 80);
}
