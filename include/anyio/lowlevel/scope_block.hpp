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
    scope_block(cancel_status& s, bool fails, body_outcome& shared) noexcept
        : managed_block(kind, shared), scope(&s), timeout_is_error(fails) {}

    cancel_status* scope;
    bool timeout_is_error;

    static const managed_block_kind kind;
};

}  // namespace anyio::lowlevel
