// SPDX-License-Identifier: MIT
// EXPECT: await an operation where you make it
#include <anyio/basics/sleep.hpp>
#include <anyio/basics/task.hpp>

anyio::task<> misuse() {
    auto nap = anyio::sleep(std::chrono::seconds(1));
    co_await nap;
    co_await nap;
}
