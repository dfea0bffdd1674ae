// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// run_on: run() on a backend that the test has made.

#include <anyio/backends/backend.hpp>
#include <anyio/basics/task.hpp>
#include <anyio/lowlevel/clock.hpp>
#include <anyio/lowlevel/spawn.hpp>
#include "lowlevel/scheduler.hpp"

#include <exception>
#include <memory>
#include <utility>

namespace support {

/// @param clock  null: the real one
inline void run_on(
    std::unique_ptr<anyio::backends::backend> backend,
    anyio::lowlevel::clock* clock,
    anyio::task<> (*body)(),
    anyio::duration busy_poll = anyio::duration::zero()
) {
    static constexpr anyio::lowlevel::task_kind kind{
        nullptr, nullptr, nullptr, nullptr, 0
    };
    anyio::detail::result_slot<void> result;
    {
        anyio::lowlevel::scheduler scheduler(std::move(backend), clock, busy_poll);
        anyio::lowlevel::task_state& task =
            anyio::lowlevel::allocate_task(scheduler.state(), kind, 0);
        task.set(anyio::lowlevel::task_handled);
        scheduler.state().root_scope->enter_as_root(task);
        result.stage = anyio::lowlevel::frame_stage::first;
        anyio::lowlevel::start_task(scheduler.state(), task, *body().release(), result);
        scheduler.run(task);
        anyio::lowlevel::release_task_block(task);
    }
    if (result.error)
        std::rethrow_exception(result.error);
}

}  // namespace support
