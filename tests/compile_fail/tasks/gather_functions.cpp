// SPDX-License-Identifier: MIT
// EXPECT: gather\(tasks...\) takes task<T>: call the coroutine functions, gather\(f\(x\), g\(y\)\)
#include <anyio/tasks/gather.hpp>

anyio::task<int> fetch();

anyio::task<> misuse() {
    co_await anyio::gather(fetch, fetch);
}
