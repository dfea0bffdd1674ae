// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What can be awaited in a task, and what comes of it: for templates that take such things.

#include <anyio/basics/task.hpp>
#include <anyio/lowlevel/managed_block.hpp>

#include <type_traits>
#include <utility>

namespace anyio::detail {

/// What co_await makes of an awaitable, as if `parent` awaited it: the awaiter, by value
/// or as a reference.
template <class A>
decltype(auto) awaiter_of(A&& awaitable, [[maybe_unused]] frame_link& parent) {
    using bare = std::remove_cvref_t<A>;
    if constexpr (is_task<bare>) {
        static_assert(
            !std::is_lvalue_reference_v<A>,
            "a task is awaited once: pass std::move(t), or make it in place"
        );
        return task_awaiter<typename bare::value_type>(awaitable, parent);
    } else if constexpr (lowlevel::awaiter<bare>) {
        if constexpr (requires { awaitable.attach(parent); })
            awaitable.attach(parent);
        return std::forward<A>(awaitable);
    } else if constexpr (has_await_operator<A>) {
        return std::forward<A>(awaitable).operator co_await();
    } else {
        static_assert(
            always_false<A>,
            "this takes something awaitable: a task<T>, or an operation of anyio; for a "
            "function, use with(..., function)"
        );
    }
}

/// The awaiter, held as a member: operations stay where they were made.
template <class A>
using awaiter_t = std::conditional_t<
    is_task<std::remove_cvref_t<A>> || !lowlevel::awaiter<A>,
    decltype(awaiter_of(std::declval<A>(), std::declval<frame_link&>())),
    A&&>;

template <class A>
using awaited_t =
    decltype(std::declval<std::remove_reference_t<awaiter_t<A>>&>().await_resume());

/// Anything that co_await takes in a task.
template <class A>
concept awaitable =
    is_task<std::remove_cvref_t<A>> || lowlevel::awaiter<A> || has_await_operator<A>;

/// For overloads that get what cannot be awaited: says so in a sentence.
template <class A>
constexpr void refuse_unawaitable() {
    static_assert(
        awaitable<A>,
        "this takes something awaitable: a task<T>, or an operation of anyio; for a "
        "function, use with(..., function)"
    );
}

}  // namespace anyio::detail
