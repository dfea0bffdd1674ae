// SPDX-License-Identifier: MIT
// EXPECT: sleep\(\) does nothing until you co_await it
#include <anyio/basics/sleep.hpp>
#include <anyio/basics/task.hpp>

anyio::task<> misuse() {
    anyio::sleep(std::chrono::seconds(1));
    co_return;
}
