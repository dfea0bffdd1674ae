// SPDX-License-Identifier: MIT
// EXPECT: this type cannot be awaited in an anyio task; await task<T>, the operations of anyio
#include <anyio/basics/task.hpp>

#include <future>

anyio::task<> misuse(std::future<int> answer) {
    co_await answer;
}
