// SPDX-License-Identifier: MIT
// EXPECT: a parameter of a coroutine that is over-aligned: frames of coroutines are aligned to 16 bytes
#include <anyio/basics/task.hpp>

struct alignas(32) vector8 {
    float values[8];
};

anyio::task<> misuse(vector8) {
    co_return;
}
