// SPDX-License-Identifier: MIT
// EXPECT-GCC: ignoring return.*nodiscard
// EXPECT-CLANG: ignoring (temporary|return value).*nodiscard
#include <anyio/synchronization/lock.hpp>

void misuse(anyio::lock& guarded) {
    guarded.hold();
}
