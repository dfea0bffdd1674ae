// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// combinations, permutations, product: choose items. Manual: docs/manual/itertools.md

#include <anyio/basics/async_generator.hpp>
#include <anyio/basics/async_iterable.hpp>
#include <anyio/itertools/detail/checks.hpp>

#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

namespace anyio::itertools {

namespace detail {

/// How to choose `length` of `size` positions, one choice after the other, in order.
class chooser {
public:
    enum class kind { combinations, with_replacement, permutations };

    chooser(kind k, std::size_t size, std::size_t length);

    [[nodiscard]] bool any() const noexcept { return any_; }

    /// Goes on to the next choice; false: that was the last.
    [[nodiscard]] bool advance();

    [[nodiscard]] std::size_t length() const noexcept { return length_; }

    [[nodiscard]] std::size_t operator[](std::size_t place) const {
        return positions_[place];
    }

private:
    [[nodiscard]] bool advance_permutation();

    kind kind_;
    std::size_t size_;
    std::size_t length_;
    bool any_;
    std::vector<std::size_t> positions_;
    std::vector<std::size_t> cycles_;  // of permutations: exchanges left at each place
};

/// For permutations(): as many as there are.
inline constexpr std::size_t all_of_them = static_cast<std::size_t>(-1);

template <class R>
async_generator<std::vector<item_t<R>>>
chosen(item_reader<R> items, chooser::kind kind, std::size_t length) {
    std::vector<item_t<R>> pool;
    while (auto item = co_await items.next())
        pool.push_back(std::move(*item));
    chooser choice(kind, pool.size(), length == all_of_them ? pool.size() : length);
    for (bool more = choice.any(); more; more = choice.advance()) {
        std::vector<item_t<R>> result;
        result.reserve(choice.length());
        for (std::size_t place = 0; place < choice.length(); ++place)
            result.push_back(pool[choice[place]]);
        co_yield std::move(result);
    }
}

template <class R>
task<std::vector<item_t<R>>> read_all(item_reader<R> items) {
    std::vector<item_t<R>> pool;
    while (auto item = co_await items.next())
        pool.push_back(std::move(*item));
    co_return pool;
}

// The last one is read first only if the compiler likes it: so they are read in turn.
template <std::size_t I, class Readers, class Pools>
task<> read_pools(Readers& readers, Pools& pools) {
    if constexpr (I < std::tuple_size_v<Pools>) {
        std::get<I>(pools) = co_await read_all(std::move(std::get<I>(readers)));
        co_await read_pools<I + 1>(readers, pools);
    }
    co_return;
}

/// Steps `positions` as a clock does, the last one fastest; false: all are back at 0.
[[nodiscard]] bool
advance_clock(std::size_t* positions, const std::size_t* sizes, std::size_t count);

template <class... R, std::size_t... I>
async_generator<std::tuple<item_t<R>...>>
multiplied(std::index_sequence<I...>, item_reader<R>... items) {
    std::tuple<item_reader<R>...> readers(std::move(items)...);
    std::tuple<std::vector<item_t<R>>...> pools;
    co_await read_pools<0>(readers, pools);
    const std::size_t sizes[] = {std::get<I>(pools).size()...};
    for (const std::size_t size : sizes)
        if (size == 0)
            co_return;
    std::size_t positions[sizeof...(R)] = {};
    do {
        std::tuple<item_t<R>...> row(std::get<I>(pools)[positions[I]]...);
        co_yield std::move(row);
    } while (advance_clock(positions, sizes, sizeof...(R)));
}

template <class R>
async_generator<std::vector<item_t<R>>>
powers(item_reader<R> items, std::size_t times) {
    std::vector<item_t<R>> pool = co_await read_all(std::move(items));
    if (pool.empty() && times != 0)
        co_return;
    const std::vector<std::size_t> sizes(times, pool.size());
    std::vector<std::size_t> positions(times);
    do {
        std::vector<item_t<R>> row;
        row.reserve(times);
        for (const std::size_t position : positions)
            row.push_back(pool[position]);
        co_yield std::move(row);
    } while (advance_clock(positions.data(), sizes.data(), times));
}

}  // namespace detail

/// All ways to choose `length` items in the order in which they come. Reads all items
/// first.
///
/// @throws usage_error  if the number is negative and was converted
/// @threads  loop
/// @anyio    anyio.itertools.combinations
template <iterable R>
[[nodiscard]] async_generator<std::vector<item_t<R>>>
combinations(R&& items, std::size_t length) {
    detail::check_copies<item_t<R>>();
    detail::check_count("combinations", length);
    return detail::chosen<R>(
        item_reader<R>(std::forward<R>(items)),
        detail::chooser::kind::combinations,
        length
    );
}

/// The same; each item may be chosen more than once.
///
/// @threads  loop
/// @anyio    anyio.itertools.combinations_with_replacement
template <iterable R>
[[nodiscard]] async_generator<std::vector<item_t<R>>>
combinations_with_replacement(R&& items, std::size_t length) {
    detail::check_copies<item_t<R>>();
    detail::check_count("combinations_with_replacement", length);
    return detail::chosen<R>(
        item_reader<R>(std::forward<R>(items)),
        detail::chooser::kind::with_replacement,
        length
    );
}

/// All ways to choose `length` items in any order; without a length, all orders of all
/// items. Reads all items first.
///
/// @throws usage_error  if the number is negative and was converted
/// @threads  loop
/// @anyio    anyio.itertools.permutations
template <iterable R>
[[nodiscard]] async_generator<std::vector<item_t<R>>>
permutations(R&& items, std::size_t length) {
    detail::check_copies<item_t<R>>();
    detail::check_count("permutations", length);
    return detail::chosen<R>(
        item_reader<R>(std::forward<R>(items)),
        detail::chooser::kind::permutations,
        length
    );
}

template <iterable R>
[[nodiscard]] async_generator<std::vector<item_t<R>>> permutations(R&& items) {
    detail::check_copies<item_t<R>>();
    return detail::chosen<R>(
        item_reader<R>(std::forward<R>(items)),
        detail::chooser::kind::permutations,
        detail::all_of_them
    );
}

/// Tuples with one item of each iterable, in all ways, the last one fastest. Reads all
/// items first, in order.
///
/// @threads  loop
/// @anyio    anyio.itertools.product
template <iterable... R>
    requires(sizeof...(R) > 0)
[[nodiscard]] async_generator<std::tuple<item_t<R>...>> product(R&&... items) {
    (detail::check_copies<item_t<R>>(), ...);
    return detail::multiplied<R...>(
        std::index_sequence_for<R...>(), item_reader<R>(std::forward<R>(items))...
    );
}

/// The product of one iterable with itself: vectors of `repeat` items.
///
/// @throws usage_error  if the number is negative and was converted
/// @threads  loop
/// @anyio    anyio.itertools.product(repeat=)
template <iterable R>
[[nodiscard]] async_generator<std::vector<item_t<R>>>
product(R&& items, std::size_t repeat) {
    detail::check_copies<item_t<R>>();
    detail::check_count("product", repeat);
    return detail::powers<R>(item_reader<R>(std::forward<R>(items)), repeat);
}

}  // namespace anyio::itertools
