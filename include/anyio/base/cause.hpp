// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// throw_caused, make_caused, cause_of: exceptions that say which other one caused them.

#include <anyio/base/config.hpp>

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

namespace anyio {

namespace detail {

/// A std::nested_exception that holds `cause`; its constructor takes only what is being
/// handled, hence one throw and catch inside.
[[nodiscard]] std::nested_exception nest(std::exception_ptr cause);

/// An `E` with a cause. Caught as `const E&`; `type_name` says `E`.
template <class E>
class caused final : public E, public std::nested_exception {
public:
    caused(E thrown, std::nested_exception why)
        : E(std::move(thrown)), std::nested_exception(std::move(why)) {}
};

template <class E>
concept can_have_a_cause =
    std::is_class_v<E> && !std::is_final_v<E> &&
    !std::derived_from<E, std::nested_exception> && std::copyable<E>;

}  // namespace detail

/// `error`, caused by `cause`, ready to be thrown. Plain `error` if `cause` is null.
template <class E>
[[nodiscard]] std::exception_ptr make_caused(E error, std::exception_ptr cause) {
    static_assert(
        detail::can_have_a_cause<E>,
        "make_caused(error, cause) and throw_caused(error, cause) derive from the class "
        "of the error to attach the cause; throw an error of a copyable class that is "
        "not final and has no cause yet"
    );
    if (!cause) {
        return std::make_exception_ptr(std::move(error));
    }
    return std::make_exception_ptr(
        detail::caused<E>(std::move(error), detail::nest(std::move(cause)))
    );
}

/// Throws `error`, caused by `cause`: Python's `raise error from cause`.
/// `std::rethrow_if_nested` and `cause_of` find the cause.
template <class E>
[[noreturn]] void throw_caused(E error, std::exception_ptr cause) {
    std::rethrow_exception(make_caused(std::move(error), std::move(cause)));
}

/// What caused `error`; null if nothing is known to have. Sees causes attached by
/// `throw_caused` and by `std::throw_with_nested`.
/// @anyio  __cause__
[[nodiscard]] std::exception_ptr cause_of(const std::exception& error) noexcept;

/// The same for an exception of any type. Null for null.
[[nodiscard]] std::exception_ptr cause_of(const std::exception_ptr& error) noexcept;

}  // namespace anyio
