// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ANYIO_EXPECTS, ANYIO_ENSURES: contracts that are checked in every build and end the
/// program with the evidence. For mistakes after which nothing can be relied on; a
/// mistake that leaves the object intact throws `usage_error`.

#include <anyio/base/config.hpp>
#include <anyio/base/describe.hpp>

#include <source_location>
#include <string>
#include <string_view>

namespace anyio {

/// Adds to the report of a broken contract: the running task, the tree of tasks.
/// Lines it appends to `text` are printed indented, below the message.
using contract_report = void (*)(std::string& text);

/// Sets the function that completes reports of broken contracts; null for none.
///
/// It runs in the thread in which the contract was broken, right before the program
/// ends. A contract that breaks inside of it is reported without it.
///
/// @returns  the one before
/// @threads  any
contract_report set_contract_report(contract_report report) noexcept;

namespace detail {

/// Prints the message, the place, the expectation, the report; then std::terminate().
[[noreturn]] ANYIO_NOINLINE void contract_broken(
    std::string_view expectation, std::string_view message, std::source_location where
) noexcept;

}  // namespace detail

}  // namespace anyio

/// What must hold when a function begins. The rest of the arguments is for `describe`:
/// what is wrong, with its values, and what to do. Nothing but the condition is
/// evaluated while it holds.
///
///     ANYIO_EXPECTS(children_ == 0, "task_group destroyed with ", children_, " tasks");
#define ANYIO_EXPECTS(condition, ...) ANYIO_CONTRACT_(condition, __VA_ARGS__)

/// What must hold when a function ends, or in its middle: a mistake of the library.
#define ANYIO_ENSURES(condition, ...) ANYIO_CONTRACT_(condition, __VA_ARGS__)

#define ANYIO_CONTRACT_(condition, ...)                                                \
    do {                                                                               \
        if (!(condition)) [[unlikely]] {                                               \
            ::anyio::detail::contract_broken(                                          \
                #condition,                                                            \
                ::anyio::describe(__VA_ARGS__),                                        \
                ::std::source_location::current()                                      \
            );                                                                         \
        }                                                                              \
    } while (false)
