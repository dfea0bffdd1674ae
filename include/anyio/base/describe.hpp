// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Text for people: describe(a, b, …), names of errnos, types, functions, exceptions.

#include <anyio/base/config.hpp>
#include <anyio/base/time.hpp>

#include <concepts>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>

namespace anyio {

namespace detail {

void append_integer(std::string& text, long long value);
void append_integer(std::string& text, unsigned long long value);
void append_real(std::string& text, double value);

template <class T>
void append(std::string& text, const T& value) {
    if constexpr (std::same_as<T, char>) {
        text += value;
    } else if constexpr (std::same_as<T, bool>) {
        text += value ? "true" : "false";
    } else if constexpr (std::convertible_to<const T&, std::string_view>) {
        text += std::string_view(value);
    } else if constexpr (std::signed_integral<T>) {
        append_integer(text, static_cast<long long>(value));
    } else if constexpr (std::unsigned_integral<T>) {
        append_integer(text, static_cast<unsigned long long>(value));
    } else if constexpr (std::floating_point<T>) {
        append_real(text, static_cast<double>(value));
    } else if constexpr (requires { to_duration(value); }) {
        text += format_duration(to_duration(value));
    } else if constexpr (requires { text += to_string(value); }) {
        text += to_string(value);
    } else {
        static_assert(
            std::same_as<T, void>,
            "describe(a, b, ...) prints text, numbers, durations and types that have a "
            "free function to_string(x) in their namespace; give this type one"
        );
    }
}

}  // namespace detail

/// Its arguments as text, one after the other, nothing between: strings, characters,
/// numbers, `std::chrono` durations ("250 ms"), and types with a free `to_string(x)`.
///
///     describe("connect_tcp ", host, ':', port, ": no answer within ", limit)
template <class... Parts>
[[nodiscard]] std::string describe(const Parts&... parts) {
    std::string text;
    (detail::append(text, parts), ...);
    return text;
}

/// `EACCES` for the number EACCES. Empty if there is no such errno.
[[nodiscard]] std::string_view errno_name(int errno_value) noexcept;

/// What the system calls an errno, with a small letter: `permission denied (EACCES)`.
[[nodiscard]] std::string describe_errno(int errno_value);

/// The name of a type as it is written in a program: `std::runtime_error`.
///
/// An exception that carries a cause is named without the class that attached it.
[[nodiscard]] std::string type_name(const std::type_info& type);

/// A function's qualified name, out of what `std::source_location::function_name()`
/// says: `client::fetch` for `anyio::task<> client::fetch(std::string) const`, and
/// `serve::<lambda>` for a lambda in `serve`.
[[nodiscard]] std::string function_name(std::string_view signature);

/// An exception: `std::runtime_error: no route to host`; only the type if it is no
/// `std::exception` and no text; `no exception` for null. An `exception_group` is its
/// message and how many errors it has: print its `what()` for the whole tree.
[[nodiscard]] std::string describe_exception(const std::exception_ptr& error);

}  // namespace anyio
