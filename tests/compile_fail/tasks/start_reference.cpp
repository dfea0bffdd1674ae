// SPDX-License-Identifier: MIT
// EXPECT: f takes a non-const reference
// EXPECT: Pass std::ref\(x\)
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

anyio::task<> child(int& port, anyio::task_status<> status);

anyio::task<> misuse(anyio::task_group& tg) {
    int port = 0;
    co_await tg.start(child, port);
}
