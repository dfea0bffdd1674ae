// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Generators that more than one test file asks for items.

#include <anyio/basics/async_generator.hpp>
#include <anyio/basics/sleep.hpp>

namespace generators {

using namespace anyio;
using namespace std::chrono_literals;

/// 1 to `last`; with a delay, each takes so long.
inline async_generator<int> numbers(int last, duration each = 0s) {
    for (int i = 1; i <= last; ++i) {
        if (each != 0s)
            co_await sleep(each);
        co_yield i;
    }
}

inline async_generator<int> doubled(async_generator<int> source) {
    while (auto item = co_await source.next())
        co_yield *item * 2;
}

}  // namespace generators
