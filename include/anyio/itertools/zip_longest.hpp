// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// zip_longest: items side by side. Manual: docs/manual/itertools.md

#include <anyio/basics/async_generator.hpp>
#include <anyio/basics/async_iterable.hpp>

#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>

namespace anyio::itertools {

namespace detail {

/// One of the iterables, and what it has given for the tuple that is being made.
template <class R>
struct zipped {
    explicit zipped(item_reader<R> reader) : items(std::move(reader)) {}

    item_reader<R> items;
    std::optional<item_t<R>> item;
    bool ended = false;
};

/// Asks them in order; the answer says whether any of them had an item.
template <std::size_t I, class Sources>
task<bool> fill_from(Sources& sources) {
    bool any = false;
    if constexpr (I < std::tuple_size_v<Sources>) {
        auto& source = std::get<I>(sources);
        source.item.reset();
        if (!source.ended) {
            // Not assigned: an item of a map has a constant key.
            auto next = co_await source.items.next();
            source.ended = !next;
            if (next)
                source.item.emplace(std::move(*next));
        }
        const bool more = co_await fill_from<I + 1>(sources);
        any = more || source.item.has_value();
    }
    co_return any;
}

template <class... R>
async_generator<std::tuple<std::optional<item_t<R>>...>>
zipped_longest(item_reader<R>... readers) {
    std::tuple<zipped<R>...> sources(zipped<R>(std::move(readers))...);
    for (;;) {
        const bool any = co_await fill_from<0>(sources);
        if (!any)
            co_return;
        std::tuple<std::optional<item_t<R>>...> row = std::apply(
            [](auto&... each) {
                return std::tuple<std::optional<item_t<R>>...>(std::move(each.item)...);
            },
            sources
        );
        co_yield std::move(row);
    }
}

}  // namespace detail

/// Tuples with one item of each iterable, until all have ended: those that have ended
/// before give empty optionals. (`*x`, or `x.value_or(fill)`.)
///
/// @threads  loop
/// @anyio    anyio.itertools.zip_longest
template <iterable... R>
    requires(sizeof...(R) > 0)
[[nodiscard]] async_generator<std::tuple<std::optional<item_t<R>>...>>
zip_longest(R&&... items) {
    return detail::zipped_longest<R...>(item_reader<R>(std::forward<R>(items))...);
}

}  // namespace anyio::itertools
