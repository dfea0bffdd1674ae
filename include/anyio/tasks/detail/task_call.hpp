// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// task_call: a callable and its arguments, kept with the task that runs them.

#include <anyio/base/call_parameters.hpp>
#include <anyio/base/light_std.hpp>
#include <anyio/basics/body.hpp>
#include <anyio/basics/task.hpp>

#include <cstddef>
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

/// Whether what start_soon is given can be kept.
template <class... Given>
inline constexpr bool can_be_kept =
    (std::is_constructible_v<std::decay_t<Given>, Given> && ...);

template <class F, class... Args>
constexpr void check_task_call() {
    using callable = std::decay_t<F>;
    static_assert(
        can_be_kept<F, Args...>,
        "start_soon(f, args...) copies its arguments, and one of them, or f, can only be "
        "moved: pass std::move(x)"
    );
    if constexpr (!can_be_kept<F, Args...>) {
        return;
    } else if constexpr (is_task<callable>) {
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

/// Whether a parameter is a value of the very type of its stored argument, or refers to
/// what a std::reference_wrapper does. Any other may refer into the stored argument: a
/// std::string_view into a std::string.
template <class P, class A>
inline constexpr bool needs_no_copy =
    std::is_same_v<std::remove_cv_t<P>, A> ||
    (std::is_lvalue_reference_v<P> && is_reference_wrapper<A> && binds_directly<P, A>);

/// Whether a coroutine may refer to the stored call. Not to a plain function and arguments
/// whose parameters are all values of their very types: it has its own copies.
template <class F, class... Args>
struct refers_to_call : std::bool_constant<
                            sizeof...(Args) != 0 || !std::is_empty_v<F> ||
                            !std::is_trivially_destructible_v<F>> {};

template <class R, class... P, class... Args>
    requires(sizeof...(P) == sizeof...(Args))
struct refers_to_call<R (*)(P...), Args...>
    : std::bool_constant<!(needs_no_copy<P, Args> && ...)> {};

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

/// Decayed copies, as std::thread makes them, and what they are converted to. Not kept
/// with the task where nothing can refer to them.
template <class Index, class F, class... Args>
class basic_task_call;

template <std::size_t... I, class F, class... Args>
class basic_task_call<std::index_sequence<I...>, F, Args...> {
    using result = task_value_t<F, Args...>;

public:
    static constexpr bool is_coroutine = is_task<std::invoke_result_t<F, Args...>>;
    static constexpr bool stored = !is_coroutine || refers_to_call<F, Args...>::value;

    template <class G, class... A>
    explicit basic_task_call(G&& g, A&&... args)
        : function_(std::forward<G>(g)), arguments_(std::forward<A>(args)...) {}

    auto operator()() {
        if constexpr (is_coroutine)
            return call();
        else
            return await_call(*this);
    }

private:
    decltype(auto) call() {
        return ANYIO_INVOKE(
            std::move(function_),
            hand_over<call_argument_t<F, I, Args>>(std::get<I>(arguments_))...
        );
    }

    static task<result> await_call(basic_task_call& self) {
        if constexpr (std::is_void_v<result>) {
            co_await self.call();
        } else {
            auto value = co_await self.call();
            co_return value;
        }
    }

    F function_;
    std::tuple<call_argument_t<F, I, Args>...> arguments_;
};

template <class F, class... Args>
using task_call = basic_task_call<std::index_sequence_for<Args...>, F, Args...>;

}  // namespace anyio::detail
