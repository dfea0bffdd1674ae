// SPDX-License-Identifier: MIT
// EXPECT-GCC: ignoring return(ed)? value
// EXPECT-CLANG: ignoring (return value|temporary)
#include <anyio/basics/async_generator.hpp>

void misuse(anyio::async_generator<int>& numbers) {
    numbers.next();
}
