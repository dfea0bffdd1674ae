// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// starmap: call a function with tuples of arguments. Manual: docs/manual/itertools.md

#include <anyio/basics/async_generator.hpp>
#include <anyio/basics/async_iterable.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

namespace anyio::itertools {

namespace detail {

template <class F, class R>
using applied_t = typename anyio::detail::settled_result<
    decltype(std::apply(std::declval<F&>(), std::declval<item_t<R>>()))>::type;

template <class F, class R>
async_generator<applied_t<F, R>> starmapped(F function, item_reader<R> items) {
    while (auto item = co_await items.next()) {
        // The arguments live until a coroutine has ended: they are in this frame.
        auto result =
            co_await anyio::detail::settle(std::apply(function, std::move(*item)));
        co_yield moved(result);
    }
}

}  // namespace detail

/// What `function`, a plain function or a coroutine, returns for each tuple, pair or array
/// of arguments.
///
/// @threads  loop
/// @anyio    anyio.itertools.starmap
template <class F, iterable R>
[[nodiscard]] auto starmap(F&& function, R&& items) {
    return detail::starmapped<std::decay_t<F>, R>(
        std::forward<F>(function), item_reader<R>(std::forward<R>(items))
    );
}

}  // namespace anyio::itertools
