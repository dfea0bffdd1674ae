// SPDX-License-Identifier: MIT
// EXPECT: future<T>: T is over-aligned, and frames of coroutines, where futures live, are aligned to 16 bytes
#include <anyio/synchronization/future.hpp>

struct alignas(32) vector8 {
    float values[8];
};

anyio::future<vector8> misuse;
