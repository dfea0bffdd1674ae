// SPDX-License-Identifier: MIT
// EXPECT: with\(\) does nothing until you co_await it
#include <anyio/basics/with.hpp>
#include <anyio/cancellation/cancel_scope.hpp>

anyio::task<> misuse() {
    anyio::with(anyio::cancel_scope(), [] {});
    co_return;
}
