// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// tee: the same items for several consumers. Manual: docs/manual/itertools.md

#include <anyio/base/light_std.hpp>
#include <anyio/basics/async_generator.hpp>
#include <anyio/basics/async_iterable.hpp>
#include <anyio/itertools/detail/checks.hpp>
#include <anyio/synchronization/lock.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace anyio::itertools {

namespace detail {

/// One item, kept until the slowest consumer has passed it.
template <class T>
struct tee_link {
    tee_link() = default;
    tee_link(const tee_link&) = delete;
    tee_link& operator=(const tee_link&) = delete;

    // Not by recursion: a consumer may be far behind when it goes.
    ~tee_link() {
        for (auto rest = std::move(next); rest && rest.use_count() == 1;)
            rest = std::shared_ptr<tee_link>(std::move(rest->next));
    }

    std::optional<T> item;
    std::shared_ptr<tee_link> next;
    bool filled = false;
};

template <class R>
struct tee_state {
    explicit tee_state(item_reader<R> reader) : items(std::move(reader)) {}

    item_reader<R> items;
    lock turn;
};

template <class R>
async_generator<item_t<R>>
teed(std::shared_ptr<tee_state<R>> shared, std::shared_ptr<tee_link<item_t<R>>> at) {
    for (;;) {
        if (!at->filled) {
            const held_lock turn = co_await shared->turn.hold();
            if (!at->filled) {  // nobody else has got it meanwhile
                std::optional<item_t<R>> item = co_await shared->items.next();
                if (item)
                    at->next = std::make_shared<tee_link<item_t<R>>>();
                if (item)
                    at->item.emplace(std::move(*item));
                at->filled = true;
            }
        }
        if (!at->item)
            co_return;
        item_t<R> item = *at->item;
        at = std::shared_ptr<tee_link<item_t<R>>>(at->next);
        co_yield moved(item);
    }
}

}  // namespace detail

/// `count` generators that all give the items of `items`, each at its own pace and in its
/// own task. Items are copied, and kept until all generators have passed them. An error
/// of `items` goes to the one that asked.
///
/// A consumer that is cancelled while it waits for `items` unwinds what it waits for; if
/// that is an async_generator, all others end where it ended.
///
/// @throws usage_error  if `count` is a negative number that was converted
/// @threads  loop
/// @anyio    anyio.itertools.tee
template <iterable R>
[[nodiscard]] std::vector<async_generator<item_t<R>>>
tee(R&& items, std::size_t count = 2) {
    detail::check_copies<item_t<R>>();
    detail::check_count("tee", count);
    auto shared =
        std::make_shared<detail::tee_state<R>>(item_reader<R>(std::forward<R>(items)));
    auto first = std::make_shared<detail::tee_link<item_t<R>>>();
    std::vector<async_generator<item_t<R>>> consumers;
    consumers.reserve(count);
    for (; count != 0; --count)
        consumers.push_back(detail::teed<R>(shared, first));
    return consumers;
}

}  // namespace anyio::itertools
