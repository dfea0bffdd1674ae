// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// batched, pairwise: several items at a time. Manual: docs/manual/itertools.md

#include <anyio/basics/async_generator.hpp>
#include <anyio/basics/async_iterable.hpp>
#include <anyio/itertools/detail/checks.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

namespace anyio::itertools {

/// See batched().
struct batched_options {
    bool strict =
        false;  ///< the last batch must be full: if not, next() throws usage_error
};

static_assert(std::is_trivially_destructible_v<batched_options>);

namespace detail {

void check_batch_size(std::size_t size);
[[noreturn]] void throw_incomplete_batch(std::size_t size, std::size_t wanted);

template <class R>
async_generator<std::vector<item_t<R>>>
in_batches(item_reader<R> items, std::size_t size, bool strict) {
    std::vector<item_t<R>> batch;
    while (auto item = co_await items.next()) {
        batch.push_back(std::move(*item));
        if (batch.size() < size)
            continue;
        co_yield std::move(batch);
        batch.clear();
    }
    if (batch.empty())
        co_return;
    if (strict)
        throw_incomplete_batch(batch.size(), size);
    co_yield std::move(batch);
}

template <class R>
async_generator<std::pair<item_t<R>, item_t<R>>> in_pairs(item_reader<R> items) {
    std::optional<item_t<R>> before = co_await items.next();
    if (!before)
        co_return;
    while (auto item = co_await items.next()) {
        std::pair<item_t<R>, item_t<R>> both(std::move(*before), *item);
        co_yield std::move(both);
        before.emplace(std::move(*item));
    }
}

}  // namespace detail

/// Vectors of `size` items; the last one may be shorter.
///
/// @throws usage_error  if `size` is 0 or a negative number that was converted
/// @threads  loop
/// @anyio    anyio.itertools.batched
template <iterable R>
[[nodiscard]] async_generator<std::vector<item_t<R>>>
batched(R&& items, std::size_t size, batched_options options = {}) {
    detail::check_batch_size(size);
    return detail::in_batches<R>(
        item_reader<R>(std::forward<R>(items)), size, options.strict
    );
}

/// Each item with the one that follows it: n items make n - 1 pairs.
///
/// @threads  loop
/// @anyio    anyio.itertools.pairwise
template <iterable R>
[[nodiscard]] async_generator<std::pair<item_t<R>, item_t<R>>> pairwise(R&& items) {
    detail::check_copies<item_t<R>>();
    return detail::in_pairs<R>(item_reader<R>(std::forward<R>(items)));
}

}  // namespace anyio::itertools
