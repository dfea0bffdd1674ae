// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Generators that more than one test file asks for items.

#include <anyio/basics/async_generator.hpp>
#include "support/anyio_test.hpp"
#include "support/census.hpp"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

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

/// Yields twice; throws after `good` of them.
inline async_generator<int> failing(int good, bool late) {
    for (int i = 0; i < 3; ++i) {
        if (late)
            co_await sleep(1s);
        if (i == good)
            throw std::runtime_error("no more");
        co_yield i;
    }
}

inline async_generator<int> guarded(support::census& objects, duration each) {
    const support::counted outer(objects);
    for (int i = 1;; ++i) {
        const support::counted inner(objects);
        co_await sleep(each);
        co_yield i;
    }
}

inline task<std::vector<int>> all_of(async_generator<int> source) {
    std::vector<int> items;
    while (auto item = co_await source.next())
        items.push_back(*item);
    co_return items;
}

/// Awaits next() once and tells how that ended.
task<> one_next(async_generator<int>& source, std::vector<std::string>& log) {
    auto ended = co_await as_outcome(source.next());
    if (ended.is_cancelled())
        log.emplace_back("cancelled");
    else if (ended.has_error())
        log.push_back(message_of(ended.error()));
    else if (auto item = std::move(ended).value())
        log.push_back(std::to_string(*item));
    else
        log.emplace_back("end");
}

}  // namespace generators
