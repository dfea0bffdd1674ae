// SPDX-License-Identifier: MIT
// EXPECT-GCC: use of deleted function .anyio::lock::lock\(const anyio::lock&\)
// EXPECT-CLANG: call to deleted constructor of .*lock
#include <anyio/synchronization/lock.hpp>

void misuse(anyio::lock& guarded) {
    auto copy = guarded;
}
