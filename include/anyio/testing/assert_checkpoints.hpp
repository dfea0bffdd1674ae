// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// assert_checkpoints, assert_no_checkpoints: whether an operation keeps its promise.
/// Manual: docs/manual/testing.md#checkpoints

#include <anyio/basics/awaitable.hpp>
#include <anyio/basics/body.hpp>
#include <anyio/basics/task.hpp>
#include <anyio/basics/with.hpp>
#include <anyio/cancellation/cancel_scope.hpp>
#include <anyio/lowlevel/checkpoint.hpp>

#include <cstdint>
#include <source_location>
#include <stdexcept>
#include <type_traits>

namespace anyio::testing {

/// What a helper of this chapter found to be untrue.
///
/// @anyio  AssertionError
class ANYIO_EXPORT assertion_error : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

namespace detail {

[[noreturn]] void throw_not_a_checkpoint(const std::source_location& where);
[[noreturn]] void throw_a_checkpoint(const std::source_location& where, bool cut_short);
[[nodiscard]] std::uint64_t steps_so_far();

}  // namespace detail

/// Awaits what `make()` returns, which must look for cancellation.
///
/// It is made twice: the first one is awaited in a cancelled scope, which must cut it short
/// before it has done anything; the second one's result is returned.
///
/// ```
/// co_await assert_checkpoints([&] { return queue.receive(); });
/// ```
///
/// @throws assertion_error  if the first one ran to its end
/// @checkpoint    as the operation
/// @cancellation  as the operation
/// @threads       loop
/// @anyio         trio.testing.assert_checkpoints
template <class Make>
[[nodiscard]] auto assert_checkpoints(
    Make&& make, std::source_location where = std::source_location::current()
) -> task<anyio::detail::awaited_t<std::invoke_result_t<Make&>>> {
    anyio::detail::check_temporary_callable<Make>();
    cancel_scope cancelled;
    cancelled.cancel("assert_checkpoints");
    auto once = [&]() -> task<> { co_await make(); };
    const bool completed = co_await with(cancelled, once);
    if (completed)
        detail::throw_not_a_checkpoint(where);
    co_return co_await make();
}

/// Awaits what `make()` returns, which must neither look for cancellation nor let others
/// run: it is awaited in a cancelled scope.
///
/// @throws assertion_error  if it does
/// @checkpoint    never
/// @cancellation  none
/// @threads       loop
/// @anyio         trio.testing.assert_no_checkpoints
template <class Make>
[[nodiscard]] task<> assert_no_checkpoints(
    Make&& make, std::source_location where = std::source_location::current()
) {
    anyio::detail::check_temporary_callable<Make>();
    const std::uint64_t before = detail::steps_so_far();
    cancel_scope cancelled;
    cancelled.cancel("assert_no_checkpoints");
    auto once = [&]() -> task<> { co_await make(); };
    const bool completed = co_await with(cancelled, once);
    if (!completed || detail::steps_so_far() != before)
        detail::throw_a_checkpoint(where, !completed);
}

}  // namespace anyio::testing
