// SPDX-License-Identifier: MIT
// EXPECT: the handler of except<E> takes a const E&, that of except_star<E> a const matches<E>&
#include <anyio/basics/try.hpp>

#include <stdexcept>

anyio::task<> risky();

anyio::task<> misuse() {
    co_await anyio::try_([]() -> anyio::task<> {
        co_await risky();
    }).except<std::runtime_error>([](std::runtime_error&) {});
}
