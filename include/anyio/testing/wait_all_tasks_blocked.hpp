// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// wait_all_tasks_blocked: until nothing but time or the outside world can go on.
/// Manual: docs/manual/testing.md#waiting-for-quiet

#include <anyio/lowlevel/idle_operation.hpp>

namespace anyio {

/// Waits until every other task of this loop waits for something. Exact: no polling, no
/// time limit. Of several tasks that wait here, the first goes on first, alone.
///
/// Comes before a virtual clock jumps.
///
/// @checkpoint    always
/// @cancellation  atomic
/// @threads       loop
/// @anyio         anyio.wait_all_tasks_blocked
[[nodiscard]] inline lowlevel::idle_operation wait_all_tasks_blocked() noexcept {
    return {};
}

}  // namespace anyio
