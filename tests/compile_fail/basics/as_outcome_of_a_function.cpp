// SPDX-License-Identifier: MIT
// EXPECT: this takes something awaitable: a task<T>, or an operation of anyio; for a function, use with\(\.\.\., function\)
#include <anyio/basics/outcome.hpp>

anyio::task<int> fetch();

anyio::task<> misuse() {
    auto ended = co_await anyio::as_outcome(fetch);
}
