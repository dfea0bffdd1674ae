// SPDX-License-Identifier: MIT
// EXPECT: amap\(range, f\): f cannot be called with an item of the range
#include <anyio/tasks/amap.hpp>

#include <string>

anyio::task<int> fetch(std::string name);

anyio::task<> misuse(std::vector<int> items) {
    co_await anyio::amap(items, fetch);
}
