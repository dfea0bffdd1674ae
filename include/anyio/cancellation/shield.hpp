// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// shield, shielded: run something that cancellation from outside cannot interrupt.
/// Manual: docs/manual/cancellation.md#shielding

#include <anyio/basics/scoped_await.hpp>
#include <anyio/cancellation/cancel_scope.hpp>

namespace anyio {

/// A cancel scope that cancellation from outside does not enter; for `with`.
///
/// Give cleanup a limit as well: `with(move_on_after(2s, true), ...)`.
///
/// @anyio  anyio.CancelScope(shield=True)
[[nodiscard]] inline cancel_scope shield() noexcept {
    return cancel_scope({.shield = true});
}

/// Awaits `awaitable` without being interrupted by cancellation from outside, which is
/// seen again at the next checkpoint after it.
///
/// @returns  its result
/// @throws   what `awaitable` throws
/// @checkpoint    as `awaitable`
/// @cancellation  shielded
/// @threads       loop
/// @allocates     nothing
/// @anyio         anyio.CancelScope(shield=True)
template <detail::awaitable A>
[[nodiscard]] auto shielded(A&& awaitable) {
    return detail::scoped_await<detail::on_timeout::is_error, A>(
        [](lowlevel::cancel_status& scope) { scope.set_shield(true); },
        std::forward<A>(awaitable)
    );
}

template <class A>
    requires(!detail::awaitable<A>)
void shielded(A&&) {
    detail::refuse_unawaitable<A>();
}

}  // namespace anyio
