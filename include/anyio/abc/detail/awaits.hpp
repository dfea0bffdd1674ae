// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// awaits<A, T>: what the concepts of this chapter are made of.

#include <anyio/basics/awaitable.hpp>

#include <concepts>
#include <type_traits>

namespace anyio::detail {

/// Something that yields exactly a `T` when it is awaited.
template <class A, class T>
concept awaits = awaitable<A> && std::same_as<std::remove_cvref_t<awaited_t<A>>, T>;

/// What awaiting an expression of type A yields, without const and references.
template <class A>
using yielded_t = std::remove_cvref_t<awaited_t<A>>;

[[noreturn]] void throw_erased_closed(const char* what);
[[noreturn]] void throw_end_of(const char* operation);

}  // namespace anyio::detail
