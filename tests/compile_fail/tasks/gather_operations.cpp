// SPDX-License-Identifier: MIT
// EXPECT: gather\(tasks...\) takes task<T>: call the coroutine functions
// EXPECT: wrap an operation such as sleep\(\) in a coroutine
#include <anyio/basics/sleep.hpp>
#include <anyio/tasks/gather.hpp>

using namespace std::chrono_literals;

anyio::task<> misuse() {
    co_await anyio::gather(anyio::sleep(1s), anyio::sleep(2s));
}
