// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// reduce: make one value of many. Manual: docs/manual/functools.md#reduce

#include <anyio/basics/async_iterable.hpp>
#include <anyio/basics/body.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace anyio::functools {

namespace detail {

[[noreturn]] void throw_nothing_to_reduce();

template <class T, class F, class R>
task<T> fold(F function, item_reader<R> items, T value) {
    while (auto item = co_await items.next()) {
        // Not assigned at once: the function may return its own argument.
        T next = co_await anyio::detail::settle(
            ANYIO_INVOKE(function, std::move(value), std::move(*item))
        );
        value = std::move(next);
    }
    co_return value;
}

template <class F, class R>
task<item_t<R>> fold_from_first(F function, item_reader<R> items) {
    std::optional<item_t<R>> value = co_await items.next();
    if (!value)
        throw_nothing_to_reduce();
    co_return co_await fold<item_t<R>>(
        std::move(function), std::move(items), std::move(*value)
    );
}

}  // namespace detail

/// Joins all items, from the first to the last: `f(f(initial, a), b)`...
///
/// `function` is a plain function or a coroutine. `items` is an async_iterable or a range;
/// a named one is referred to, and must outlive the call.
///
/// @throws        what `function` and `items` throw
/// @checkpoint    always
/// @cancellation  as `function` and `items`; what has been joined is gone
/// @threads       loop
/// @allocates     one frame
/// @anyio         anyio.functools.reduce
template <class F, iterable R, class T>
[[nodiscard]] task<std::decay_t<T>> reduce(F&& function, R&& items, T&& initial) {
    anyio::detail::check_temporary_callable<F>();
    return detail::fold<std::decay_t<T>, std::decay_t<F>, R>(
        std::forward<F>(function),
        item_reader<R>(std::forward<R>(items)),
        std::forward<T>(initial)
    );
}

/// The same from the first item on.
///
/// @throws usage_error  if there are no items
/// @throws              what `function` and `items` throw
/// @checkpoint    always
/// @cancellation  as `function` and `items`; what has been joined is gone
/// @threads       loop
/// @allocates     one frame
/// @anyio         anyio.functools.reduce
template <class F, iterable R>
[[nodiscard]] task<item_t<R>> reduce(F&& function, R&& items) {
    anyio::detail::check_temporary_callable<F>();
    return detail::fold_from_first<std::decay_t<F>, R>(
        std::forward<F>(function), item_reader<R>(std::forward<R>(items))
    );
}

}  // namespace anyio::functools
