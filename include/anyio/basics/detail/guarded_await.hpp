// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// guarded_await: one awaitable inside one block, without a coroutine frame of its own:
/// fail_after(5s, x), shielded(x), as_outcome(x).

#include <anyio/basics/task.hpp>
#include <anyio/lowlevel/managed_block.hpp>

#include <type_traits>
#include <utility>

namespace anyio::detail {

/// What co_await makes of an awaitable: the awaiter, by value or as a reference.
template <class A>
decltype(auto) awaiter_of(A&& awaitable) {
    using bare = std::remove_cvref_t<A>;
    if constexpr (is_task<bare>) {
        static_assert(
            !std::is_lvalue_reference_v<A>,
            "a task is awaited once: pass std::move(t), or make it in place"
        );
        return task_awaiter<typename bare::value_type>(awaitable);
    } else if constexpr (lowlevel::awaiter<bare>) {
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
    decltype(awaiter_of(std::declval<A>())),
    A&&>;

template <class A>
using awaited_t =
    decltype(std::declval<std::remove_reference_t<awaiter_t<A>>&>().await_resume());

/// Anything that co_await takes in a task.
template <class A>
concept awaitable = is_task<std::remove_cvref_t<A>> || lowlevel::awaiter<A>
                    || has_await_operator<A>;

/// Starts `inner` as if `self` awaited it.
template <class Inner>
std::coroutine_handle<> suspend_into(Inner& inner, lowlevel::block& self) {
    const auto handle = lowlevel::handle_of(&self.link);
    using answer = decltype(inner.await_suspend(handle));
    if constexpr (std::is_void_v<answer>) {
        inner.await_suspend(handle);
        return std::noop_coroutine();
    } else {
        return inner.await_suspend(handle);
    }
}

}  // namespace anyio::detail
