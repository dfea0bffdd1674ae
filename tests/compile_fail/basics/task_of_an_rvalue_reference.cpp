// SPDX-License-Identifier: MIT
// EXPECT: task<T&&>: return a value instead
#include <anyio/basics/task.hpp>

#include <string>

anyio::task<std::string&&> fetch();

anyio::task<> misuse() {
    auto text = co_await fetch();
}
