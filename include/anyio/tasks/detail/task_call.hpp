// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// task_call: a callable and its arguments, kept with the task that runs them.

#include <anyio/base/light_std.hpp>
#include <anyio/basics/body.hpp>
#include <anyio/basics/task.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

namespace anyio::detail {

/// A function whose result can be a task of its own: a coroutine, or one that returns an
/// operation, such as sleep().
template <class F, class... Args>
concept makes_task =
    std::is_invocable_v<F, Args...> && awaitable<std::invoke_result_t<F, Args...>>;

/// Can be called with lvalues, but not with what a copy gives: it wants a reference.
template <class F, class... Args>
concept wants_reference = !std::is_invocable_v<F, std::decay_t<Args>...> &&
                          std::is_invocable_v<F, std::decay_t<Args>&...>;

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
            wants_reference<callable, Args...> ||
                std::is_invocable_v<callable, std::decay_t<Args>...>,
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

template <class A>
inline constexpr bool is_reference_wrapper = false;
template <class T>
inline constexpr bool is_reference_wrapper<std::reference_wrapper<T>> = true;

/// Whether a parameter may refer to the stored copy of its argument.
template <class P, class A>
inline constexpr bool refers_to_copy =
    std::is_reference_v<P> && !is_reference_wrapper<A>;

/// Whether a coroutine may refer to the stored call: a function whose parameters are all
/// values has its own copies of them.
template <class F, class... Args>
struct refers_to_call
    : std::bool_constant<sizeof...(Args) != 0 || !std::is_empty_v<F>> {};

template <class R, class... P, class... Args>
    requires(sizeof...(P) == sizeof...(Args))
struct refers_to_call<R (*)(P...), Args...>
    : std::bool_constant<(refers_to_copy<P, Args> || ...)> {};

template <class R, class... P, class... Args>
    requires(sizeof...(P) == sizeof...(Args))
struct refers_to_call<R (*)(P...) noexcept, Args...>
    : refers_to_call<R (*)(P...), Args...> {};

/// A callable of the library may know better than its type tells.
template <class F>
    requires requires { std::bool_constant<F::is_kept_with_task>(); }
struct refers_to_call<F> : std::bool_constant<F::is_kept_with_task> {};

template <class R>
struct task_value {
    using type = std::remove_cvref_t<awaited_t<R>>;
};

template <class T>
struct task_value<task<T>> {
    using type = T;
};

template <class F, class... Args>
using task_value_t = typename task_value<std::invoke_result_t<F, Args...>>::type;

/// Decayed copies, as std::thread makes them. Not kept with the task where nothing can
/// refer to them.
template <class F, class... Args>
struct task_call {
    static constexpr bool is_coroutine = is_task<std::invoke_result_t<F, Args...>>;
    static constexpr bool stored = !is_coroutine || refers_to_call<F, Args...>::value;

    template <class G, class... A>
    explicit task_call(G&& g, A&&... a)
        : function(std::forward<G>(g)), arguments(std::forward<A>(a)...) {}

    auto operator()() {
        if constexpr (is_coroutine)
            return call();
        else
            return await_call(*this);
    }

    decltype(auto) call() {
        return std::apply(
            [this](Args&... argument) {
                return ANYIO_INVOKE(std::move(function), std::move(argument)...);
            },
            arguments
        );
    }

    static task<task_value_t<F, Args...>> await_call(task_call& self) {
        if constexpr (std::is_void_v<task_value_t<F, Args...>>) {
            co_await self.call();
        } else {
            auto value = co_await self.call();
            co_return value;
        }
    }

    F function;
    std::tuple<Args...> arguments;
};

}  // namespace anyio::detail
