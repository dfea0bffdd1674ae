// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// task_call: a callable and its arguments, kept with the task that runs them.

#include <anyio/basics/body.hpp>
#include <anyio/basics/task.hpp>

#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace anyio::detail {

template <class F, class... Args>
concept makes_task =
    std::is_invocable_v<F, Args...> && is_task<std::invoke_result_t<F, Args...>>;

/// Can be called with lvalues, but not with what a copy gives: it wants a reference.
template <class F, class... Args>
concept wants_reference =
    !std::is_invocable_v<F, std::decay_t<Args>...>
    && std::is_invocable_v<F, std::decay_t<Args>&...>;

template <class F, class... Args>
constexpr void check_task_call() {
    using callable = std::decay_t<F>;
    if constexpr (is_task<callable>) {
        static_assert(
            always_false<F>,
            "start_soon(f, args...) takes a function, not a task: write start_soon(f, x) "
            "instead of start_soon(f(x)); a task that was made outside may refer to what "
            "ends before it"
        );
    } else {
        static_assert(
            !wants_reference<callable, Args...>,
            "start_soon(f, args...) copies its arguments, because the task may outlive "
            "the caller; f takes a non-const reference. Pass std::ref(x) if x outlives "
            "the group."
        );
        static_assert(
            wants_reference<callable, Args...>
                || std::is_invocable_v<callable, std::decay_t<Args>...>,
            "start_soon(f, args...): f cannot be called with these arguments"
        );
        if constexpr (std::is_invocable_v<callable, std::decay_t<Args>...>) {
            static_assert(
                makes_task<callable, std::decay_t<Args>...>,
                "start_soon(f, args...): f must be a coroutine, returning task<...>; for "
                "a function that blocks or computes, use to_thread::run_sync"
            );
        }
    }
}

/// Decayed copies, as std::thread makes them. Nothing is kept where nothing can be
/// referred to: a function or a lambda without captures, called without arguments.
template <class F, class... Args>
struct task_call {
    static constexpr bool stored =
        sizeof...(Args) != 0 || !(std::is_empty_v<F> || std::is_pointer_v<F>);

    template <class G, class... A>
    explicit task_call(G&& g, A&&... a)
        : function(std::forward<G>(g)), arguments(std::forward<A>(a)...) {}

    auto operator()() {
        return std::apply(
            [this](Args&... argument) {
                return std::invoke(std::move(function), std::move(argument)...);
            },
            arguments
        );
    }

    F function;
    std::tuple<Args...> arguments;
};

template <class F, class... Args>
using task_value_t = typename std::invoke_result_t<F, Args...>::value_type;

}  // namespace anyio::detail
