// SPDX-License-Identifier: MIT
// EXPECT: T must be an object type that moves without throwing
#include <anyio/streams/memory.hpp>

struct item {
    item() = default;

    item(item&&) {}
};

void make() {
    (void)anyio::create_memory_object_stream<item>(1);
}
