// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Sources of numbers, and how to read all that an iterable gives.

#include <anyio/basics/async_generator.hpp>
#include <anyio/basics/async_iterable.hpp>
#include <anyio/basics/sleep.hpp>

#include <vector>

namespace items {

/// 1 to `last`; with a delay, each takes so long.
inline anyio::async_generator<int> numbers(int last, anyio::duration each = {}) {
    for (int i = 1; i <= last; ++i) {
        if (each != anyio::duration())
            co_await anyio::sleep(each);
        co_yield i;
    }
}

template <class T>
anyio::task<std::vector<T>> all(anyio::async_generator<T> source) {
    std::vector<T> result;
    while (auto item = co_await source.next())
        result.push_back(std::move(*item));
    co_return result;
}

inline anyio::task<bool> is_odd(int number) {
    co_await anyio::sleep(std::chrono::seconds(1));
    co_return number % 2 != 0;
}

using ints = std::vector<int>;
using rows = std::vector<ints>;

}  // namespace items
