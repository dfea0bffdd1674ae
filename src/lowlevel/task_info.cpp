// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/task_info.hpp>

#include <anyio/base/errors.hpp>
#include <anyio/lowlevel/wait_task_rescheduled.hpp>
#include "scheduler.hpp"
#include "task_report.hpp"

namespace anyio {

struct task_info_access {
    static task_info make(const lowlevel::task_state& task) {
        task_info info;
        info.id_ = task.id();
        if (task.group && task.group->host)
            info.parent_id_ = task.group->host->id();
        info.name_ = lowlevel::task_name(task);
        return info;
    }
};

task_info lowlevel::info_of(const task_state& task) {
    return task_info_access::make(task);
}

bool task_info::has_pending_cancellation() const {
    for (const auto* task :
         lowlevel::all_tasks(lowlevel::require_loop("has_pending_cancellation")))
        if (task->id() == id_)
            return task->has(lowlevel::task_unwinds) || lowlevel::cancelled(*task);
    return false;
}

task_info get_current_task() {
    return task_info_access::make(lowlevel::current());
}

std::vector<task_info> get_running_tasks() {
    std::vector<task_info> result;
    for (const auto* task :
         lowlevel::all_tasks(lowlevel::require_loop("get_running_tasks")))
        result.push_back(task_info_access::make(*task));
    return result;
}

}  // namespace anyio
