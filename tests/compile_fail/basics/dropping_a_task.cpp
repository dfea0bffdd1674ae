// SPDX-License-Identifier: MIT
// EXPECT: a task does nothing until you co_await it or give its function to a task group
#include <anyio/basics/task.hpp>

anyio::task<> fetch();

anyio::task<> misuse() {
    fetch();
    co_return;
}
