// SPDX-License-Identifier: MIT
// EXPECT-GCC: use of deleted function .anyio::cancel_scope::cancel_scope\(const anyio::cancel_scope&\)
// EXPECT-CLANG: call to deleted constructor of .*cancel_scope
#include <anyio/cancellation/cancel_scope.hpp>

void misuse(anyio::cancel_scope& scope) {
    auto copy = scope;
}
