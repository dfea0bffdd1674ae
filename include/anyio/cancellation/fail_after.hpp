// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// fail_after, fail_at: throw timeout_error when it takes too long.
/// Manual: docs/manual/cancellation.md#timeouts

#include <anyio/basics/scoped_await.hpp>
#include <anyio/cancellation/cancel_scope.hpp>

namespace anyio {

/// Like move_on_after_scope, but the block throws timeout_error when its deadline cut it
/// short. Not when somebody cancelled the scope, even if the deadline has passed since.
///
/// @anyio  anyio.fail_after
class fail_after_scope : public cancel_scope {
public:
    explicit fail_after_scope(delay timeout, bool shield = false) noexcept {
        if (timeout.get() != forever)
            status_.set_timeout(timeout);
        if (shield)
            status_.set_shield(true);
        fails_ = true;
        limit_ = timeout;
    }

    explicit fail_after_scope(time_point deadline, bool shield = false) noexcept
        : cancel_scope({.deadline = deadline, .shield = shield}) {
        fails_ = true;
    }
};

/// @param timeout  `forever`: no deadline. Zero or less: cancelled from the start
[[nodiscard]] inline fail_after_scope
fail_after(delay timeout, bool shield = false) noexcept {
    return fail_after_scope(timeout, shield);
}

/// @anyio  anyio.fail_at
[[nodiscard]] inline fail_after_scope
fail_at(time_point deadline, bool shield = false) noexcept {
    return fail_after_scope(deadline, shield);
}

/// Awaits `awaitable`, for `timeout` at most, counted from here.
///
/// @returns  its result
/// @throws   timeout_error  if the time ran out first; it says how long that was, what was
///           being waited for, and where
/// @throws   what `awaitable` throws
/// @checkpoint    as `awaitable`
/// @cancellation  as `awaitable`, also when the time runs out
/// @threads       loop
/// @allocates     nothing
/// @anyio         anyio.fail_after
template <detail::awaitable A>
[[nodiscard]] auto fail_after(delay timeout, A&& awaitable) {
    return detail::scoped_await<detail::on_timeout::is_error, A>(
        [timeout](lowlevel::cancel_status& scope) {
            if (timeout.get() != forever)
                scope.set_timeout(timeout);
        },
        std::forward<A>(awaitable),
        timeout
    );
}

/// The same with an absolute deadline.
template <detail::awaitable A>
[[nodiscard]] auto fail_at(time_point deadline, A&& awaitable) {
    return detail::scoped_await<detail::on_timeout::is_error, A>(
        [deadline](lowlevel::cancel_status& scope) { scope.set_deadline(deadline); },
        std::forward<A>(awaitable)
    );
}

template <class A>
    requires detail::mistaken_for_shield<A>
void fail_after(delay, A&&) {
    detail::refuse_unawaitable<A>();
}

template <class A>
    requires detail::mistaken_for_shield<A>
void fail_at(time_point, A&&) {
    detail::refuse_unawaitable<A>();
}

}  // namespace anyio
