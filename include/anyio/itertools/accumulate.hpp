// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// accumulate: running totals. Manual: docs/manual/itertools.md

#include <anyio/basics/async_generator.hpp>
#include <anyio/basics/async_iterable.hpp>

#include <type_traits>
#include <utility>

namespace anyio::itertools {

namespace detail {

struct plus {
    template <class A, class B>
    auto operator()(A&& a, B&& b) const {
        return std::forward<A>(a) + std::forward<B>(b);
    }
};

template <class T, class R, class F>
async_generator<T>
accumulated(item_reader<R> items, F function, std::optional<T> total) {
    if (!total) {
        auto first = co_await items.next();
        if (!first)
            co_return;
        total.emplace(std::move(*first));
    }
    co_yield *total;
    while (auto item = co_await items.next()) {
        // Not assigned at once: the function may return its own argument.
        T next = co_await anyio::detail::settle(
            ANYIO_INVOKE(function, std::move(*total), std::move(*item))
        );
        *total = std::move(next);
        co_yield *total;
    }
}

}  // namespace detail

/// The first item, then what `function` makes of the total so far and the next item: by
/// default the sum. `function` is a plain function or a coroutine; totals are copied.
///
/// @threads  loop
/// @anyio    anyio.itertools.accumulate
template <iterable R, class F = detail::plus>
[[nodiscard]] async_generator<item_t<R>> accumulate(R&& items, F&& function = {}) {
    return detail::accumulated<item_t<R>, R, std::decay_t<F>>(
        item_reader<R>(std::forward<R>(items)), std::forward<F>(function), std::nullopt
    );
}

/// The same, with `initial` before the first item.
///
/// @threads  loop
/// @anyio    anyio.itertools.accumulate
template <iterable R, class F, class T>
[[nodiscard]] async_generator<std::decay_t<T>>
accumulate(R&& items, F&& function, T&& initial) {
    return detail::accumulated<std::decay_t<T>, R, std::decay_t<F>>(
        item_reader<R>(std::forward<R>(items)),
        std::forward<F>(function),
        std::optional<std::decay_t<T>>(std::forward<T>(initial))
    );
}

}  // namespace anyio::itertools
