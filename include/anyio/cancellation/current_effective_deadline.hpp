// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// current_effective_deadline: how long the running task has.

#include <anyio/base/time.hpp>

namespace anyio {

/// The earliest deadline of the scopes around the running task, up to the nearest
/// shield: `never` if there is none, `time_point::min()` if the task is cancelled.
///
/// @throws no_event_loop_error  outside a task
/// @threads     loop
/// @complexity  linear in the depth of scopes
/// @anyio       anyio.current_effective_deadline
[[nodiscard]] time_point current_effective_deadline();

}  // namespace anyio
