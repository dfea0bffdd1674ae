// SPDX-License-Identifier: MIT
// ONLY: gcc
// EXPECT: capture by reference, or name the lambda first, and pass it by its name, without std::move
#include <anyio/basics/with.hpp>
#include <anyio/cancellation/shield.hpp>

#include <string>
#include <utility>

anyio::task<> misuse() {
    auto named = [host = std::string("localhost")]() -> anyio::task<> { co_return; };
    co_await anyio::with(anyio::shield(), std::move(named));
}
