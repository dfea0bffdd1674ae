// SPDX-License-Identifier: MIT
// EXPECT: co_yield is only for async_generator<T>
// EXPECT: inside with\(...\) or try_\(...\) a generator cannot yield: the block would stay open
// EXPECT: Collect in the block and yield after it
#include <anyio/basics/async_generator.hpp>
#include <anyio/basics/with.hpp>
#include <anyio/cancellation/move_on_after.hpp>

anyio::async_generator<int> misuse() {
    co_await anyio::with(anyio::move_on_after(anyio::forever), []() -> anyio::task<> {
        co_yield 1;
    });
}
