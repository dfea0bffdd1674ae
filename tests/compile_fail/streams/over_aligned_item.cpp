// SPDX-License-Identifier: MIT
// EXPECT: create_memory_object_stream<T>: T is over-aligned, and frames of coroutines, where items are received
#include <anyio/streams/memory.hpp>

struct alignas(32) vector8 {
    float values[8];
};

void misuse() {
    auto ends = anyio::create_memory_object_stream<vector8>(1);
}
