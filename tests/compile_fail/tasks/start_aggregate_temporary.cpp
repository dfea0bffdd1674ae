// SPDX-License-Identifier: MIT
// ONLY: gcc
// EXPECT: g\+\+ 12 destroys an aggregate temporary in a co_await expression twice; name it first
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

#include <string>

struct options {
    std::string host;
};

anyio::task<> child(options how, anyio::task_status<> status);

anyio::task<> misuse(anyio::task_group& tg) {
    co_await tg.start(child, options{"localhost"});
}
