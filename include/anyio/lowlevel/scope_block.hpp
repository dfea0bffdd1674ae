// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// scope_block: the block of a cancel scope.

#include <anyio/lowlevel/cancel_status.hpp>
#include <anyio/lowlevel/managed_block.hpp>

namespace anyio::lowlevel {

/// Stops a cancellation of its scope, and only that (rule K6).
struct scope_block : managed_block {
    /// @param fails  throws timeout_error if the deadline cut the block short
    /// @param limit  for the message of that; `forever` if the deadline is absolute
    scope_block(
        cancel_status& s, bool fails, duration limit, body_outcome& shared
    ) noexcept
        : managed_block(kind, shared), scope(&s) {
        if (fails) {
            s.fail_at_deadline();
            time_limit = limit;
        }
    }

    cancel_status* scope;
    duration time_limit;  // if the scope fails at its deadline

    static const managed_block_kind kind;
};

}  // namespace anyio::lowlevel
