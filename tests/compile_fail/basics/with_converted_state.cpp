// SPDX-License-Identifier: MIT
// EXPECT: a parameter of body is a reference to what an argument of with is converted to, which has ended when body runs; take it by value
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

#include <string>

anyio::task<> misuse() {
    co_await anyio::with(
        anyio::create_task_group(),
        "localhost",
        [](anyio::task_group&, const std::string&) -> anyio::task<> { co_return; }
    );
}
