// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// run_on: anyio::run() on a backend of the test's own.

#include <anyio/basics/task.hpp>
#include <anyio/lowlevel/clock.hpp>
#include <anyio/lowlevel/spawn.hpp>
#include "lowlevel/scheduler.hpp"

#include <memory>
#include <utility>

namespace support {

/// @param clock  null: the real one
inline void run_on(
    std::unique_ptr<anyio::backends::backend> backend,
    anyio::lowlevel::clock* clock,
    anyio::task<> (*body)()
) {
    static constexpr anyio::lowlevel::task_kind kind{
        nullptr, nullptr, nullptr, nullptr, 0
    };
    anyio::detail::result_slot<void> result;
    {
        anyio::lowlevel::scheduler scheduler(std::move(backend), clock);
        anyio::lowlevel::task_state& task = anyio::lowlevel::allocate_task(kind, 0);
        task.set(anyio::lowlevel::task_handled);
        scheduler.state().root_scope->enter_as_root(task);
        anyio::lowlevel::start_task(scheduler.state(), task, *body().release(), result);
        scheduler.run(task);
        anyio::lowlevel::release_task_block(task);
    }
    if (result.error)
        std::rethrow_exception(result.error);
}

}  // namespace support
