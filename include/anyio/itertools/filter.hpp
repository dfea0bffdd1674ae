// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// compress, dropwhile, filterfalse, takewhile: some of the items.
/// Manual: docs/manual/itertools.md

#include <anyio/basics/async_generator.hpp>
#include <anyio/basics/async_iterable.hpp>

#include <type_traits>
#include <utility>

namespace anyio::itertools {

namespace detail {

template <class R, class S>
async_generator<item_t<R>> compressed(item_reader<R> items, item_reader<S> selectors) {
    while (auto item = co_await items.next()) {
        auto selected = co_await selectors.next();
        if (!selected)
            co_return;
        if (static_cast<bool>(*selected))
            co_yield moved(*item);
    }
}

template <class P, class R>
async_generator<item_t<R>> dropped_while(P predicate, item_reader<R> items) {
    bool dropping = true;
    while (auto item = co_await items.next()) {
        if (dropping)
            dropping = static_cast<bool>(co_await anyio::detail::settle(
                ANYIO_INVOKE(predicate, std::as_const(*item))
            ));
        if (!dropping)
            co_yield moved(*item);
    }
}

template <class P, class R>
async_generator<item_t<R>> filtered_false(P predicate, item_reader<R> items) {
    while (auto item = co_await items.next()) {
        const auto holds =
            co_await anyio::detail::settle(ANYIO_INVOKE(predicate, std::as_const(*item))
            );
        if (!static_cast<bool>(holds))
            co_yield moved(*item);
    }
}

template <class P, class R>
async_generator<item_t<R>> taken_while(P predicate, item_reader<R> items) {
    while (auto item = co_await items.next()) {
        const auto holds =
            co_await anyio::detail::settle(ANYIO_INVOKE(predicate, std::as_const(*item))
            );
        if (!static_cast<bool>(holds))
            co_return;
        co_yield moved(*item);
    }
}

}  // namespace detail

/// The items whose selector is true; until one of both ends.
///
/// @threads  loop
/// @anyio    anyio.itertools.compress
template <iterable R, iterable S>
[[nodiscard]] async_generator<item_t<R>> compress(R&& items, S&& selectors) {
    return detail::compressed<R, S>(
        item_reader<R>(std::forward<R>(items)),
        item_reader<S>(std::forward<S>(selectors))
    );
}

/// Leaves out the items at the beginning for which `predicate`, a plain function or a
/// coroutine, is true.
///
/// @threads  loop
/// @anyio    anyio.itertools.dropwhile
template <class P, iterable R>
[[nodiscard]] async_generator<item_t<R>> dropwhile(P&& predicate, R&& items) {
    return detail::dropped_while<std::decay_t<P>, R>(
        std::forward<P>(predicate), item_reader<R>(std::forward<R>(items))
    );
}

/// The items for which `predicate`, a plain function or a coroutine, is false.
///
/// @threads  loop
/// @anyio    anyio.itertools.filterfalse
template <class P, iterable R>
[[nodiscard]] async_generator<item_t<R>> filterfalse(P&& predicate, R&& items) {
    return detail::filtered_false<std::decay_t<P>, R>(
        std::forward<P>(predicate), item_reader<R>(std::forward<R>(items))
    );
}

/// The items before the first for which `predicate`, a plain function or a coroutine, is
/// false. That one has been taken from `items`, and is dropped.
///
/// @threads  loop
/// @anyio    anyio.itertools.takewhile
template <class P, iterable R>
[[nodiscard]] async_generator<item_t<R>> takewhile(P&& predicate, R&& items) {
    return detail::taken_while<std::decay_t<P>, R>(
        std::forward<P>(predicate), item_reader<R>(std::forward<R>(items))
    );
}

}  // namespace anyio::itertools
