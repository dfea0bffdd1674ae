// SPDX-License-Identifier: MIT
// EXPECT: this type cannot be awaited in an anyio task; await task<T>, the operations of anyio
// EXPECT: a blocking call belongs in to_thread::run_sync
#include <anyio/basics/task.hpp>

int fetch();

anyio::task<> misuse() {
    co_await fetch();
}
