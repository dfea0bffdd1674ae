// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// groupby: neighbours with the same key. Manual: docs/manual/itertools.md

#include <anyio/basics/async_generator.hpp>
#include <anyio/basics/async_iterable.hpp>

#include <type_traits>
#include <utility>
#include <vector>

namespace anyio::itertools {

namespace detail {

struct identity {
    template <class T>
    T operator()(const T& item) const {
        return item;
    }
};

template <class K, class R, class F>
async_generator<std::pair<K, std::vector<item_t<R>>>>
grouped(item_reader<R> items, F key) {
    std::pair<std::optional<K>, std::vector<item_t<R>>> group;
    while (auto item = co_await items.next()) {
        K next =
            co_await anyio::detail::settle(ANYIO_INVOKE(key, std::as_const(*item)));
        if (group.first && !(*group.first == next)) {
            std::pair<K, std::vector<item_t<R>>> whole(
                std::move(*group.first), std::exchange(group.second, {})
            );
            co_yield std::move(whole);
        }
        if (group.second.empty())
            group.first.emplace(std::move(next));
        group.second.push_back(std::move(*item));
    }
    if (!group.first)
        co_return;
    std::pair<K, std::vector<item_t<R>>> whole(
        std::move(*group.first), std::move(group.second)
    );
    co_yield std::move(whole);
}

}  // namespace detail

/// Pairs of a key and the items with that key that come one after the other. `key`, a
/// plain function or a coroutine, is called once for each item; without it, items are
/// their own keys.
///
/// @threads  loop
/// @anyio    anyio.itertools.groupby
template <iterable R, class F = detail::identity>
[[nodiscard]] auto groupby(R&& items, F&& key = {}) {
    using key_type = anyio::detail::settled_t<std::decay_t<F>, const item_t<R>&>;
    return detail::grouped<key_type, R, std::decay_t<F>>(
        item_reader<R>(std::forward<R>(items)), std::forward<F>(key)
    );
}

}  // namespace anyio::itertools
