// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What `with` asks of its arguments and its body.

#include <anyio/base/call_parameters.hpp>
#include <anyio/basics/awaitable.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace anyio::detail {

/// Cancel scopes and task groups: entered and left without a coroutine.
template <class A>
concept block_manager = requires { typename std::remove_cvref_t<A>::with_block; };

/// A manager whose subject a body may leave out of its parameters.
template <class A>
concept optional_subject =
    block_manager<A> && std::remove_cvref_t<A>::with_block::subject_is_optional;

template <class Body, class Subjects>
inline constexpr bool takes = false;
template <class Body, class... S>
inline constexpr bool takes<Body, std::tuple<S...>> = std::is_invocable_v<Body&, S...>;

template <class Body, class Subjects, class Index>
inline constexpr bool takes_temporaries = false;
template <class Body, class... S, std::size_t... I>
inline constexpr bool
    takes_temporaries<Body, std::tuple<S...>, std::index_sequence<I...>> =
        (refers_to_temporary<parameter_t<Body, I>, S> || ...);

/// A coroutine that refers to such an object would outlive it.
template <class Body, class... S>
constexpr void check_body_parameters(const std::tuple<S...>&) {
    static_assert(
        !is_task<std::invoke_result_t<Body&, S...>> ||
            !takes_temporaries<Body, std::tuple<S...>, std::index_sequence_for<S...>>,
        "with(..., body): a parameter of body is a reference to what an argument of with "
        "is converted to, which has ended when body runs; take it by value"
    );
}

/// Calls `body` with what was entered; or without the cancel scopes; or with nothing.
template <class Body, class Full, class Short>
decltype(auto) call_body(Body& body, Full full, [[maybe_unused]] Short shortened) {
    if constexpr (takes<Body, Full>) {
        check_body_parameters<Body>(full);
        return std::apply(body, full);
    } else if constexpr (takes<Body, Short>) {
        check_body_parameters<Body>(shortened);
        return std::apply(body, shortened);
    } else if constexpr (std::is_invocable_v<Body&>)
        return body();
    else
        static_assert(
            always_false<Body>,
            "with(..., body): body must be callable with references to what was entered, "
            "in that order (cancel scopes may be left out), or with nothing; for example "
            "[&](task_group& tg) -> task<> { ... }"
        );
}

template <class R>
struct body_result {
    static_assert(
        std::is_void_v<R>,
        "with(..., body): body must be a coroutine, returning task<...>, or a plain "
        "function returning void"
    );
    using type = void;
};

template <class T>
struct body_result<task<T>> {
    static_assert(
        !std::is_reference_v<T>,
        "with(..., body): body must return task<T> with a value, not a reference: the "
        "result is an optional"
    );
    using type = T;
};

/// bool for void: whether the block ran to its end; optional<T> for T.
template <class T>
using with_result = std::conditional_t<
    std::is_void_v<T>,
    bool,
    std::optional<std::conditional_t<std::is_void_v<T>, char, T>>>;

template <class Callable>
inline constexpr bool safe_temporary_callable =
    !ANYIO_BUG_TEMPORARIES_IN_AWAIT || std::is_lvalue_reference_v<Callable> ||
    std::is_trivially_destructible_v<std::remove_cvref_t<Callable>>;

template <class A>
inline constexpr bool safe_temporary_argument =
    !ANYIO_BUG_TEMPORARIES_IN_AWAIT || std::is_lvalue_reference_v<A> ||
    std::is_trivially_destructible_v<std::remove_cvref_t<A>> ||
    !std::is_aggregate_v<std::remove_cvref_t<A>>;

template <class Callable>
constexpr void check_temporary_callable() {
    static_assert(
        safe_temporary_callable<Callable>,
        "g++ 12 destroys by-value captures of a lambda temporary in a co_await "
        "expression twice; capture by reference, or name the lambda first, and pass it "
        "by its name, without std::move"
    );
}

template <class A>
constexpr void check_temporary_argument() {
    static_assert(
        // A function has no alignment, and is no temporary.
        alignof(std::conditional_t<
                std::is_lvalue_reference_v<A>,
                char,
                std::remove_reference_t<A>>) <= max_alignment,
        "an over-aligned temporary in a co_await expression: it lives in the frame of the "
        "coroutine, which is aligned to 16 bytes; use std::make_unique"
    );
    static_assert(
        safe_temporary_argument<A>,
        "g++ 12 destroys an aggregate temporary in a co_await expression twice; name it "
        "first, or give the class a constructor"
    );
}

}  // namespace anyio::detail
