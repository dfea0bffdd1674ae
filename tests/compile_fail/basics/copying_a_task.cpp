// SPDX-License-Identifier: MIT
// EXPECT-GCC: use of deleted function .*task<int>
// EXPECT-CLANG: call to implicitly-deleted copy constructor of .*task<int>
#include <anyio/basics/task.hpp>

anyio::task<int> fetch();

void misuse() {
    auto fetched = fetch();
    auto copy = fetched;
}
