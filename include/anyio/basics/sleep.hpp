// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// sleep, sleep_until, sleep_forever. Manual: docs/manual/basics.md#time

#include <anyio/base/time.hpp>
#include <anyio/lowlevel/sleep_operation.hpp>

namespace anyio {

/// Waits until `deadline`, on the clock of current_time(). At least a checkpoint, also
/// when it has passed.
///
/// @checkpoint    always
/// @cancellation  atomic
/// @threads       loop
/// @allocates     nothing, but for the growth of the list of deadlines
/// @anyio         anyio.sleep_until
[[nodiscard("sleep_until() does nothing until you co_await it"
)]] inline lowlevel::sleep_operation
sleep_until(time_point deadline) noexcept {
    return lowlevel::sleep_operation(deadline);
}

/// Waits for `length`; zero or less is a checkpoint: every other task that is ready runs
/// once.
///
/// @throws no_event_loop_error  outside a task
/// @checkpoint    always
/// @cancellation  atomic
/// @threads       loop
/// @allocates     nothing, but for the growth of the list of deadlines
/// @anyio         anyio.sleep
[[nodiscard("sleep() does nothing until you co_await it")]] lowlevel::sleep_operation
sleep(delay length);

/// Waits for cancellation.
///
/// @checkpoint    always
/// @cancellation  atomic
/// @threads       loop
/// @allocates     nothing
/// @anyio         anyio.sleep_forever
[[nodiscard("sleep_forever() does nothing until you co_await it"
)]] inline lowlevel::sleep_operation
sleep_forever() noexcept {
    return lowlevel::sleep_operation(never);
}

}  // namespace anyio
