// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// begin_step: how functions begin that may have nothing to wait for.

#include <anyio/lowlevel/checkpoint.hpp>
#include <anyio/lowlevel/operation.hpp>

namespace anyio::detail {

/// Looks for cancellation, and spends budget, as every operation does: a loop of calls that
/// complete at once must not starve others.
class [[nodiscard]] begin_step final : public lowlevel::operation<begin_step> {
public:
    begin_step() noexcept : operation(lowlevel::yield_kind) {}

    [[nodiscard]] static bool try_complete() noexcept { return true; }

    void start() const noexcept {}  // it never waits

    void await_resume() const noexcept {}
};

}  // namespace anyio::detail
