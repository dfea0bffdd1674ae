// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// gather: run several tasks at once, return all results. Manual: docs/manual/tasks.md#results

#include <anyio/basics/with.hpp>
#include <anyio/tasks/task_group.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace anyio {

namespace detail {

/// A tuple has no place for void.
template <class T>
using gathered_t = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
inline constexpr bool is_gathered = is_task<T>;
template <class T>
inline constexpr bool is_gathered<std::vector<task<T>>> = true;

/// Makes a task that was made outside a child of the group. Its own name stays.
template <class T>
task_handle<T> adopt_task(task_group& group, task<T>& made) {
    return group.create_task([&made] { return std::move(made); });
}

/// The value of a task that has ended without an error.
template <class T>
gathered_t<T> take_result(task_handle<T>& ended) {
    if constexpr (std::is_void_v<T>) {
        return {};
    } else {
        return std::move(ended).result();
    }
}

/// Starts all, and gives what the tuple is to be made of.
template <class... T>
task<std::tuple<gathered_t<T>...>> gather_tuple(task<T>... tasks) {
    std::tuple<std::optional<task_handle<T>>...> handles;
    auto start_all = [&](task_group& group) {
        std::apply(
            [&](auto&... handle) { (handle.emplace(adopt_task(group, tasks)), ...); },
            handles
        );
    };
    co_await with(create_task_group(), start_all);
    co_return std::apply(
        [](auto&... handle) {
            return std::tuple<gathered_t<T>...>{take_result(*handle)...};
        },
        handles
    );
}

template <class T>
std::vector<task_handle<T>>
adopt_tasks(task_group& group, std::vector<task<T>>& tasks) {
    std::vector<task_handle<T>> handles;
    handles.reserve(tasks.size());
    for (task<T>& each : tasks)
        handles.push_back(adopt_task(group, each));
    return handles;
}

template <class T>
std::vector<T> take_results(std::vector<task_handle<T>>& ended) {
    std::vector<T> results;
    results.reserve(ended.size());
    for (task_handle<T>& each : ended)
        results.push_back(take_result(each));
    return results;
}

template <class T>
using gathered_vector_t =
    std::conditional_t<std::is_void_v<T>, void, std::vector<gathered_t<T>>>;

template <class T>
task<gathered_vector_t<T>> gather_vector(std::vector<task<T>> tasks) {
    std::vector<task_handle<T>> handles;
    auto start_all = [&](task_group& group) { handles = adopt_tasks(group, tasks); };
    co_await with(create_task_group(), start_all);
    if constexpr (!std::is_void_v<T>)
        co_return take_results(handles);
}

}  // namespace detail

/// Runs tasks at once, in a task group of its own, and returns what they return.
///
/// ```
/// auto [page, user] = co_await gather(fetch("/"), find_user(7));
/// ```
///
/// @returns  a tuple in the order of the arguments, however they ended; std::monostate for
///           a task that returns nothing
/// @throws exception_group  if any of them failed; the others have been cancelled, and all
///                          have ended
/// @throws usage_error      if one has been awaited already, or was moved from
/// @checkpoint    as a task group's block
/// @cancellation  cancels all of them, and waits until they have ended
/// @threads       loop
/// @allocates     one frame, and for each task a block and a small record
/// @anyio         anyio.gather
template <class... T>
    requires(sizeof...(T) != 0)
[[nodiscard("gather() runs the tasks when you co_await it")]] auto
gather(task<T>... tasks) {
    static_assert(
        (!std::is_reference_v<T> && ...),
        "gather(tasks...): a task that returns a reference has no place in the result; "
        "return a pointer"
    );
    std::size_t index = 0;
    (detail::require_unspent("gather", index++, static_cast<bool>(tasks)), ...);
    return detail::gather_tuple<T...>(std::move(tasks)...);
}

/// The same for a number of tasks known only at run time; none is fine.
///
/// @returns  a vector in the order of the tasks; nothing for tasks that return nothing
template <class T>
[[nodiscard("gather() runs the tasks when you co_await it")]] auto
gather(std::vector<task<T>> tasks) {
    static_assert(
        !std::is_reference_v<T>,
        "gather(tasks): tasks that return references have no place in the result; return "
        "pointers"
    );
    for (std::size_t i = 0; i < tasks.size(); ++i)
        detail::require_unspent("gather", i, static_cast<bool>(tasks[i]));
    return detail::gather_vector<T>(std::move(tasks));
}

/// Says what to write instead.
///
/// @checkpoint    none: it does not compile
/// @cancellation  none
template <class... A>
    requires(!(detail::is_gathered<std::remove_cvref_t<A>> && ...))
task<> gather(A&&...) {
    static_assert(
        detail::always_false<std::tuple<A...>>,
        "gather(tasks...) takes task<T>: call the coroutine functions, gather(f(x), g(y)); "
        "wrap an operation such as sleep() in a coroutine"
    );
    std::terminate();
}

}  // namespace anyio
