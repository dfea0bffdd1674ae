// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// move_on_after, move_on_at: give up after a while, and go on.
/// Manual: docs/manual/cancellation.md#timeouts

#include <anyio/basics/scoped_await.hpp>
#include <anyio/cancellation/cancel_scope.hpp>

namespace anyio {

/// A cancel scope whose deadline is `timeout` after the block begins; for `with`.
///
/// ```
/// bool finished = co_await with(move_on_after(5s), [&](cancel_scope& scope) -> task<> { ... });
/// ```
///
/// @param timeout  `forever`: no deadline. Zero or less: cancelled from the start
/// @anyio  anyio.move_on_after
class move_on_after_scope : public cancel_scope {
public:
    explicit move_on_after_scope(delay timeout, bool shield = false) noexcept {
        if (timeout.get() != forever)
            status_.set_timeout(timeout);
        if (shield)
            status_.set_shield(true);
    }
};

[[nodiscard]] inline move_on_after_scope
move_on_after(delay timeout, bool shield = false) noexcept {
    return move_on_after_scope(timeout, shield);
}

/// A cancel scope with an absolute deadline; for `with`.
///
/// @anyio  anyio.move_on_at
[[nodiscard]] inline cancel_scope
move_on_at(time_point deadline, bool shield = false) noexcept {
    return cancel_scope({.deadline = deadline, .shield = shield});
}

/// Awaits `awaitable`, for `timeout` at most, counted from here.
///
/// @returns  its result; empty (false for void) if the time ran out first
/// @throws   what `awaitable` throws
/// @checkpoint    as `awaitable`
/// @cancellation  as `awaitable`, also when the time runs out
/// @threads       loop
/// @allocates     nothing
/// @anyio         anyio.move_on_after
template <detail::awaitable A>
[[nodiscard]] auto move_on_after(delay timeout, A&& awaitable) {
    return detail::scoped_await<detail::on_timeout::is_empty, A>(
        [timeout](lowlevel::cancel_status& scope) {
            if (timeout.get() != forever)
                scope.set_timeout(timeout);
        },
        std::forward<A>(awaitable)
    );
}

/// The same with an absolute deadline.
template <detail::awaitable A>
[[nodiscard]] auto move_on_at(time_point deadline, A&& awaitable) {
    return detail::scoped_await<detail::on_timeout::is_empty, A>(
        [deadline](lowlevel::cancel_status& scope) { scope.set_deadline(deadline); },
        std::forward<A>(awaitable)
    );
}

template <class A>
    requires detail::mistaken_for_shield<A>
void move_on_after(delay, A&&) {
    detail::refuse_unawaitable<A>();
}

template <class A>
    requires detail::mistaken_for_shield<A>
void move_on_at(time_point, A&&) {
    detail::refuse_unawaitable<A>();
}

}  // namespace anyio
