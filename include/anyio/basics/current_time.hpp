// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// current_time: the time of the running loop.

#include <anyio/base/time.hpp>

namespace anyio {

/// The time of the running loop's clock: steady, and unrelated to the time of day.
///
/// @throws no_event_loop_error  if no loop runs in this thread
/// @checkpoint    never
/// @cancellation  none
/// @threads       loop
/// @anyio         anyio.current_time
[[nodiscard]] time_point current_time();

}  // namespace anyio
