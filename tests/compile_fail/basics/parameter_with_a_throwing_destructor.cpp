// SPDX-License-Identifier: MIT
// EXPECT: a parameter of a coroutine whose destructor may throw: the end of a frame cannot report errors
#include <anyio/basics/task.hpp>

struct throws_at_the_end {
    ~throws_at_the_end() noexcept(false);
};

anyio::task<> misuse(throws_at_the_end) {
    co_return;
}
