// SPDX-License-Identifier: MIT
// EXPECT: a task is awaited once, where it is made: co_await f\(x\)
// EXPECT: co_await std::move\(t\)
#include <anyio/basics/task.hpp>

anyio::task<int> fetch();

anyio::task<> misuse() {
    auto fetched = fetch();
    const int first = co_await fetched;
    const int second = co_await fetched;
    (void)(first + second);
}
