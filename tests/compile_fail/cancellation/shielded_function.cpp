// SPDX-License-Identifier: MIT
// EXPECT: this takes something awaitable: a task<T>, or an operation of anyio; for a function, use with\(\.\.\., function\)
#include <anyio/cancellation/shield.hpp>

anyio::task<int> fetch();

anyio::task<> misuse() {
    const int value = co_await anyio::shielded(fetch);
}
