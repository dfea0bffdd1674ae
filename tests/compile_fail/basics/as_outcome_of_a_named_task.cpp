// SPDX-License-Identifier: MIT
// EXPECT: a task is awaited once: pass std::move\(t\), or make it in place
#include <anyio/basics/outcome.hpp>

anyio::task<int> fetch();

anyio::task<> misuse() {
    auto fetched = fetch();
    auto ended = co_await anyio::as_outcome(fetched);
}
