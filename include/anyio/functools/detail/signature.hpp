// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// signature_of: what a cached function takes and gives; and what caches need besides.

#include <anyio/basics/task.hpp>
#include <anyio/functools/detail/lru_store.hpp>
#include <anyio/lowlevel/run_var.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace anyio::functools::detail {

/// No two caches of a program have the same.
[[nodiscard]] std::uint64_t next_cache_id() noexcept;

/// Frees what the running loop, if there is one, keeps for the cache.
void forget_cache(const void* cache) noexcept;

/// @throws usage_error  if the running task makes that call already
void refuse_recursion(const anyio::detail::lru_flight_base& flight);

template <class K>
concept key_part = std::copy_constructible<K> && std::equality_comparable<K> &&
                   requires(const K& part) { std::hash<K>()(part); };

template <class A>
constexpr void check_parameter() {
    using key = std::decay_t<A>;
    static_assert(
        !std::is_same_v<key, std::string_view> && !std::is_same_v<key, const char*>,
        "lru_cache(f): the cache keeps the arguments of f as long as the result; let f "
        "take std::string instead of std::string_view or const char*"
    );
    static_assert(
        !std::is_lvalue_reference_v<A> || std::is_const_v<std::remove_reference_t<A>>,
        "lru_cache(f): f takes a non-const reference; a result cannot be remembered if "
        "the call changes its argument"
    );
    static_assert(
        key_part<key>,
        "lru_cache(f): the arguments of f are the key of its cache: they must be "
        "copyable, compare with ==, and have a std::hash"
    );
}

template <class R, class... A>
struct signature {
    static_assert(
        anyio::detail::is_task<R>,
        "lru_cache(f): f must be a coroutine function, returning task<...>"
    );
    static constexpr bool checked = (check_parameter<A>(), ..., true);
    using key = std::tuple<std::decay_t<A>...>;
    using value = typename R::value_type;
    static_assert(
        checked && !std::is_reference_v<value>,
        "lru_cache(f): f returns a reference; return a value, or a std::shared_ptr"
    );
};

template <class F>
struct signature_of {
    static_assert(
        anyio::detail::always_false<F>,
        "lru_cache(f): f must be a function or have exactly one operator(); a template "
        "or overloaded one does not say what the key is: wrap it in a lambda that "
        "names its parameters"
    );
};

template <class R, class... A>
struct signature_of<R (*)(A...)> : signature<R, A...> {};

template <class R, class... A>
struct signature_of<R (*)(A...) noexcept> : signature<R, A...> {};

template <class M>
struct member_signature;

template <class C, class R, class... A>
struct member_signature<R (C::*)(A...)> : signature<R, A...> {};

template <class C, class R, class... A>
struct member_signature<R (C::*)(A...) const> : signature<R, A...> {};

template <class C, class R, class... A>
struct member_signature<R (C::*)(A...) noexcept> : signature<R, A...> {};

template <class C, class R, class... A>
struct member_signature<R (C::*)(A...) const noexcept> : signature<R, A...> {};

template <class F>
    requires requires { &F::operator(); }
struct signature_of<F> : member_signature<decltype(&F::operator())> {};

}  // namespace anyio::functools::detail
