// SPDX-License-Identifier: MIT
// EXPECT: with\(resource\.\.\., body\) takes both
#include <anyio/basics/with.hpp>
#include <anyio/cancellation/cancel_scope.hpp>

anyio::task<> misuse() {
    co_await anyio::with(anyio::cancel_scope());
}
