// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// islice: items by their position. Manual: docs/manual/itertools.md

#include <anyio/basics/async_generator.hpp>
#include <anyio/basics/async_iterable.hpp>
#include <anyio/itertools/detail/checks.hpp>

#include <cstddef>
#include <limits>
#include <utility>

namespace anyio::itertools {

/// To the end; for islice().
inline constexpr std::size_t no_stop = std::numeric_limits<std::size_t>::max();

namespace detail {

void check_step(std::size_t step);

template <class R>
async_generator<item_t<R>>
sliced(item_reader<R> items, std::size_t start, std::size_t stop, std::size_t step) {
    if (start == stop)
        co_return;  // takes nothing
    std::size_t wanted = start;
    for (std::size_t index = 0; index < stop; ++index) {
        auto item = co_await items.next();
        if (!item)
            co_return;
        if (index != wanted)
            continue;
        wanted = step > no_stop - index ? no_stop : index + step;
        co_yield moved(*item);
    }
}

}  // namespace detail

/// Every `step`th item from number `start` on, counted from 0, before number `stop`.
/// Nothing from `stop` on is taken from `items`.
///
/// @param stop  no_stop, the greatest number there is: to the end
/// @throws usage_error  if `step` is 0, or a number is negative and was converted
/// @threads  loop
/// @anyio    anyio.itertools.islice
template <iterable R>
[[nodiscard]] async_generator<item_t<R>>
islice(R&& items, std::size_t start, std::size_t stop, std::size_t step = 1) {
    detail::check_count("islice", start);
    if (stop != no_stop)
        detail::check_count("islice", stop);
    detail::check_step(step);
    return detail::sliced<R>(item_reader<R>(std::forward<R>(items)), start, stop, step);
}

/// The first `stop` items.
///
/// @throws usage_error  if `stop` is a negative number that was converted; no_stop means
///                      nothing here
/// @threads  loop
/// @anyio    anyio.itertools.islice
template <iterable R>
[[nodiscard]] async_generator<item_t<R>> islice(R&& items, std::size_t stop) {
    detail::check_count("islice", stop);
    return itertools::islice(std::forward<R>(items), 0, stop);
}

}  // namespace anyio::itertools
