// SPDX-License-Identifier: MIT
// EXPECT: when you co_await it|until you co_await it
#include <anyio/tasks/gather.hpp>

anyio::task<int> fetch();

void misuse() {
    anyio::gather(fetch(), fetch());
}
