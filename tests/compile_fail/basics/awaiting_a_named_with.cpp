// SPDX-License-Identifier: MIT
// EXPECT: await an operation where you make it
#include <anyio/basics/with.hpp>
#include <anyio/cancellation/cancel_scope.hpp>

anyio::task<> misuse() {
    auto block = anyio::with(anyio::cancel_scope(), [] {});
    co_await block;
}
