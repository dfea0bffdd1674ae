// SPDX-License-Identifier: MIT
// ONLY: gcc
// EXPECT: g\+\+ 12 destroys an aggregate temporary in a co_await expression twice; name it first, or give the class a constructor
#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

#include <string>

struct options {
    std::string host;
};

anyio::task<> misuse() {
    co_await anyio::with(options{"localhost"}, [](options&) {});
}
