// SPDX-License-Identifier: MIT
// EXPECT-GCC: use of deleted function .anyio::event::event\(const anyio::event&\)
// EXPECT-CLANG: call to deleted constructor of .*event
#include <anyio/synchronization/event.hpp>

void misuse(anyio::event& ready) {
    auto copy = ready;
}
