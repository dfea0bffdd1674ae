// SPDX-License-Identifier: MIT
// EXPECT: task<T>: the type of the result is over-aligned, and frames of coroutines are aligned to 16 bytes
#include <anyio/basics/task.hpp>

struct alignas(32) vector8 {
    float values[8];
};

anyio::task<vector8> add();

anyio::task<> misuse() {
    [[maybe_unused]] auto sum = co_await add();
}
