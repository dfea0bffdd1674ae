// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// chain, chain_from_iterable: one after the other. Manual: docs/manual/itertools.md

#include <anyio/basics/async_generator.hpp>
#include <anyio/basics/async_iterable.hpp>

#include <concepts>
#include <tuple>
#include <type_traits>
#include <utility>

namespace anyio::itertools {

namespace detail {

// One coroutine for each argument but the last: coroutines cannot loop over a tuple.
template <class T, class R>
async_generator<T> chained(item_reader<R> items) {
    while (auto item = co_await items.next())
        co_yield T(std::move(*item));
}

template <class T, class First, class Second, class... Rest>
async_generator<T> chained(
    item_reader<First> first, item_reader<Second> second, item_reader<Rest>... rest
) {
    while (auto item = co_await first.next())
        co_yield T(std::move(*item));
    auto others = chained<T>(std::move(second), std::move(rest)...);
    while (auto item = co_await others.next())
        co_yield moved(*item);
}

template <class R>
async_generator<item_t<item_t<R>>> flattened(item_reader<R> items) {
    while (auto inner = co_await items.next()) {
        item_reader<item_t<R>> reader(std::move(*inner));
        while (auto item = co_await reader.next())
            co_yield moved(*item);
    }
}

}  // namespace detail

/// All items of the first iterable, then all of the second, and so on. The items are of
/// the type that all of theirs convert to.
///
/// @threads  loop
/// @anyio    anyio.itertools.chain
template <iterable... R>
    requires(sizeof...(R) > 0)
[[nodiscard]] async_generator<std::common_type_t<item_t<R>...>> chain(R&&... items) {
    return detail::chained<std::common_type_t<item_t<R>...>>(
        item_reader<R>(std::forward<R>(items))...
    );
}

/// All items of all iterables that `items` gives, which are asked for one at a time.
///
/// @threads  loop
/// @anyio    anyio.itertools.chain.from_iterable
template <iterable R>
    requires iterable<item_t<R>>
[[nodiscard]] async_generator<item_t<item_t<R>>> chain_from_iterable(R&& items) {
    return detail::flattened<R>(item_reader<R>(std::forward<R>(items)));
}

}  // namespace anyio::itertools
