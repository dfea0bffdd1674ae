// SPDX-License-Identifier: MIT
// EXPECT: takes an object of that very type, not one that converts to it
#include <anyio/basics/async_generator.hpp>

anyio::async_generator<const long&> misuse(int number) {
    co_yield number;
}
