// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// amap: one function over a range, with a limit. Manual: docs/manual/tasks.md#results

#include <anyio/lowlevel/checkpoint.hpp>
#include <anyio/tasks/gather.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace anyio {

/// How amap() runs. Trivially destructible: see docs/manual/compilers.md.
struct amap_options {
    static constexpr std::size_t unlimited = SIZE_MAX;

    /// So many calls at a time.
    std::size_t limit = unlimited;
};

namespace detail {

[[nodiscard]] std::size_t checked_limit(amap_options options);

template <class Range>
using range_iterator_t = decltype(std::begin(std::declval<Range&>()));

template <class Range>
using range_reference_t = decltype(*std::declval<range_iterator_t<Range>&>());

/// Whether what the iterator yields stays where it is when the iterator moves on.
template <class Range>
concept keeps_its_items = std::is_reference_v<range_reference_t<Range>> &&
                          std::forward_iterator<range_iterator_t<Range>>;

/// What the function is called with: a reference into the range, or a value of its own.
template <class Range>
using amap_item_t = std::conditional_t<
    keeps_its_items<Range>,
    range_reference_t<Range>,
    std::remove_cvref_t<range_reference_t<Range>>>;

template <class F, class Range>
using amap_value_t = task_value_t<F&, amap_item_t<Range>>;

template <class F, class Range>
using amap_result_t = std::conditional_t<
    std::is_void_v<amap_value_t<F, Range>>,
    void,
    std::vector<gathered_t<amap_value_t<F, Range>>>>;

/// One call. The function, and an item that is a reference, outlive the group.
template <class F, class Item>
struct amap_call {
    using kept = call_argument_t<F, 0, Item>;

    auto operator()() { return ANYIO_INVOKE(function, hand_over<kept>(item)); }

    F& function;
    kept item;
};

/// One child for each item.
template <class F, class Range>
auto start_call(task_group& group, F& function, range_iterator_t<Range>& at) {
    return group.create_task(amap_call<F, amap_item_t<Range>>{function, *at});
}

template <class F, class Range>
task<amap_result_t<F, Range>> amap_all(Range range, F function) {
    using value = amap_value_t<F, Range>;
    std::vector<task_handle<value>> handles;
    auto start_all = [&](task_group& group) {
        const auto last = std::end(range);
        for (auto at = std::begin(range); at != last; ++at)
            handles.push_back(start_call<F, Range>(group, function, at));
    };
    co_await with(create_task_group(), start_all);
    if constexpr (!std::is_void_v<value>)
        co_return take_results(handles);
}

/// What the tasks of one amap() with a limit share: so many at most, each of which takes
/// one item after the other.
template <class F, class Range>
struct amap_work {
    using value = amap_value_t<F, Range>;
    using kept = call_argument_t<F, 0, amap_item_t<Range>>;

    amap_work(Range& range, F& f, std::size_t limit)
        : function(f), next(std::begin(range)), last(std::end(range)),
          tasks_to_come(limit) {}

    // The next task starts when this one has an item, so that there are no idle ones.
    void start_another(task_group& group) {
        if (next == last || tasks_to_come == 0)
            return;
        --tasks_to_come;
        group.start_soon({.name = "amap"}, &run, std::ref(*this), std::ref(group));
    }

    static task<> run(amap_work& work, task_group& group) {
        while (work.next != work.last) {
            co_await lowlevel::checkpoint_if_cancelled();
            const std::size_t index = work.results.size();
            kept item(*work.next);
            ++work.next;
            if constexpr (!std::is_void_v<value>)
                work.results.emplace_back();
            work.start_another(group);
            if constexpr (std::is_void_v<value>) {
                co_await work.call(item);
            } else {
                auto result = co_await work.call(item);
                work.results[index].emplace(std::move(result));
            }
        }
    }

    decltype(auto) call(std::remove_reference_t<kept>& item) {
        return ANYIO_INVOKE(function, hand_over<kept>(item));
    }

    F& function;
    range_iterator_t<Range> next;
    decltype(std::end(std::declval<Range&>())) last;
    std::size_t tasks_to_come;
    std::vector<std::optional<gathered_t<value>>> results;
};

template <class F, class Range>
task<amap_result_t<F, Range>> amap_limited(Range range, F function, std::size_t limit) {
    using value = amap_value_t<F, Range>;
    amap_work<F, Range> work(range, function, limit);
    auto start_first = [&](task_group& group) { work.start_another(group); };
    co_await with(create_task_group(), start_first);
    if constexpr (!std::is_void_v<value>) {
        std::vector<value> results;
        results.reserve(work.results.size());
        for (std::optional<value>& each : work.results)
            results.push_back(std::move(*each));
        co_return results;
    }
}

/// A reference to what has a name; a function as a pointer.
template <class F>
using kept_callable_t = std::
    conditional_t<std::is_function_v<std::remove_reference_t<F>>, std::decay_t<F>, F>;

}  // namespace detail

/// Calls `function` for each item of a range, all at once or so many at a time, each call
/// in a task group of amap's own, and returns what they return.
///
/// ```
/// auto pages = co_await amap(urls, fetch, {.limit = 10});
/// ```
///
/// Items are passed by reference, as `for (auto&& item : range)` would, and are taken in
/// order; a range or a function that is a temporary is kept until the end. Without a limit
/// each call is a task of its own; with one, so many tasks make one call after the other.
///
/// @param function  returns task<T>, or an operation
/// @returns  a vector in the order of the range; nothing if the calls return nothing
/// @throws usage_error      if the limit is 0
/// @throws exception_group  if a call failed; those under way have been cancelled, and all
///                          have ended; no further one has begun
/// @checkpoint    as a task group's block
/// @cancellation  cancels all calls, and waits until they have ended
/// @threads       loop
/// @allocates     for each task one block; the vector
/// @anyio         anyio.amap
template <class Range, class F>
[[nodiscard("amap() runs when you co_await it")]] auto
amap(Range&& range, F&& function, amap_options options = {}) {
    detail::check_temporary_argument<Range>();
    detail::check_temporary_callable<F>();
    using callable = detail::kept_callable_t<F>;
    static_assert(
        std::is_invocable_v<callable&, detail::amap_item_t<Range>>,
        "amap(range, f): f cannot be called with an item of the range"
    );
    static_assert(
        detail::makes_task<callable&, detail::amap_item_t<Range>>,
        "amap(range, f): f must be a coroutine, returning task<...>; for a function that "
        "blocks or computes, use to_thread::run_sync"
    );
    using returned = detail::amap_result_t<callable, Range>;
    const std::size_t limit = detail::checked_limit(options);
    task<returned> call =
        limit == amap_options::unlimited
            ? detail::amap_all<callable, Range>(
                  std::forward<Range>(range), std::forward<F>(function)
              )
            : detail::amap_limited<callable, Range>(
                  std::forward<Range>(range), std::forward<F>(function), limit
              );
    return call;
}

}  // namespace anyio
