// SPDX-License-Identifier: MIT
#include <anyio/synchronization/resource_guard.hpp>

#include <anyio/base/assert.hpp>
#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/lowlevel/loop_state.hpp>
#include <anyio/lowlevel/task_info.hpp>

#include <cstdlib>
#include <string>

namespace anyio {

namespace {

const lowlevel::task_state* running_task() noexcept {
    return lowlevel::this_loop ? lowlevel::this_loop->current : nullptr;
}

}  // namespace

void resource_guard::note_task() noexcept {
    const auto* const task = running_task();
    task_id_ = task ? task->id() : 0;
}

void resource_guard::destroyed_in_use() const noexcept {
    ANYIO_EXPECTS(
        !inside_,
        "resource_guard: destroyed while somebody was ",
        action_,
        "; let it outlive the tasks that enter it"
    );
    std::abort();  // not reached
}

void resource_guard::throw_busy(std::string_view where) const {
    std::string details;
    if (running_task()) {
        for (const task_info& task : get_running_tasks())
            if (task.id() == task_id_)
                details = describe(": \"", task.name(), '"');
        details += describe(" (this is \"", get_current_task().name(), "\")");
    }
    throw busy_resource_error(action_, where, details);
}

}  // namespace anyio
