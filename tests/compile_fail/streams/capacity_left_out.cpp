// SPDX-License-Identifier: MIT
// EXPECT: no matching function for call to
#include <anyio/streams/memory.hpp>

void make() {
    (void)anyio::create_memory_object_stream<int>();
}
