// SPDX-License-Identifier: MIT
// EXPECT: amap\(range, f\): f must be a coroutine, returning task<...>
// EXPECT: use to_thread::run_sync
#include <anyio/tasks/amap.hpp>

int blocks(int n);

anyio::task<> misuse(std::vector<int> items) {
    co_await anyio::amap(items, blocks);
}
