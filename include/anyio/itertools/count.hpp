// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// count, cycle, repeat: without end. Manual: docs/manual/itertools.md

#include <anyio/basics/async_generator.hpp>
#include <anyio/basics/async_iterable.hpp>
#include <anyio/itertools/detail/checks.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

namespace anyio::itertools {

namespace detail {

[[noreturn]] void throw_counted_out();

template <class T, class Step>
async_generator<T> counted_from(T number, Step step) {
    for (;;) {
        co_yield number;
        if constexpr (std::is_integral_v<T> && std::is_integral_v<Step>) {
            if (__builtin_add_overflow(number, step, &number))
                throw_counted_out();
        } else {
            number += step;
        }
    }
}

template <class R>
async_generator<item_t<R>> cycled(item_reader<R> items) {
    std::vector<item_t<R>> saved;
    while (auto item = co_await items.next()) {
        saved.push_back(std::move(*item));
        co_yield saved.back();
    }
    if (saved.empty())
        co_return;
    for (;;)
        for (const auto& item : saved)
            co_yield item;
}

template <class T>
async_generator<T> repeated(T item) {
    for (;;)
        co_yield item;
}

template <class T>
async_generator<T> repeated(T item, std::size_t times) {
    for (; times != 0; --times)
        co_yield item;
}

}  // namespace detail

/// `start`, `start + step`, and so on, for ever.
///
/// @throws std::overflow_error  from next(), when an integer would no longer fit its type
/// @threads  loop
/// @anyio    anyio.itertools.count
template <class T = int, class Step = T>
[[nodiscard]] async_generator<T> count(T start = T(0), Step step = Step(1)) {
    return detail::counted_from<T, Step>(std::move(start), std::move(step));
}

/// All items, then copies of them, again and again.
///
/// @threads  loop
/// @anyio    anyio.itertools.cycle
template <iterable R>
[[nodiscard]] async_generator<item_t<R>> cycle(R&& items) {
    detail::check_copies<item_t<R>>();
    return detail::cycled<R>(item_reader<R>(std::forward<R>(items)));
}

/// Copies of `item`, for ever.
///
/// @threads  loop
/// @anyio    anyio.itertools.repeat
template <class T>
[[nodiscard]] async_generator<std::decay_t<T>> repeat(T&& item) {
    detail::check_copies<std::decay_t<T>>();
    return detail::repeated<std::decay_t<T>>(std::forward<T>(item));
}

/// `times` copies of `item`.
///
/// @throws usage_error  if `times` is a negative number that was converted
/// @threads  loop
/// @anyio    anyio.itertools.repeat
template <class T>
[[nodiscard]] async_generator<std::decay_t<T>> repeat(T&& item, std::size_t times) {
    detail::check_copies<std::decay_t<T>>();
    detail::check_count("repeat", times);
    return detail::repeated<std::decay_t<T>>(std::forward<T>(item), times);
}

}  // namespace anyio::itertools
