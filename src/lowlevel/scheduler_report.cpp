// SPDX-License-Identifier: MIT
/// @file
/// What a scheduler tells of the errors and the deadlock of its tasks.

#include <anyio/base/assert.hpp>
#include <anyio/base/describe.hpp>
#include <anyio/lowlevel/block.hpp>
#include "scheduler.hpp"
#include "task_report.hpp"

#include <new>
#include <utility>

namespace anyio::lowlevel {

void scheduler::note_name(const task_state& task) noexcept {
    try {
        failed_task_ = task_name(task);
    } catch (const std::bad_alloc&) {
        // A report without the name.
    }
}

void scheduler::note_error(frame_link& link) noexcept {
    if (link.owner->stage == frame_stage::first) {
        state_.current->set(task_failed);
        note_name(*state_.current);
    }
    const std::exception_ptr& error = link.owner->error;
    if (trace_.error == error)
        return;  // it began further inside
    trace_.error = error;
    trace_.sites.clear();
    try {
        for (const frame_link* at = &link; at && at != &root_link(); at = at->parent)
            if (!at->is_block())
                trace_.sites.push_back(at->site);
    } catch (const std::bad_alloc&) {
        // A shorter trace.
    }
}

exception_group::member scheduler::story(std::exception_ptr error, task_state& task) {
    exception_group::member result;
    if (trace_.error && trace_.error == error) {
        trace_.error = nullptr;
        result.trace = std::move(trace_.sites);
    }
    result.error = std::move(error);
    if (!failed_task_.empty())
        result.task = std::exchange(failed_task_, {});
    else if (&task == frameless_)
        result.task = task_name(task, state_.ended_site);
    else
        result.task = task_name(task);
    return result;
}

// Nothing is ready, due, under way or expected: no task can ever run again. The report
// comes before the unwinding, since that is when the tree still shows who waits for what.
void scheduler::declare_deadlock() {
    if (deadlock_report_.empty())
        deadlock_report_ = describe(
            "deadlock: every task is blocked, and nothing that is under way can wake one\n",
            report_tasks(state_)
        );
    root_scope_.cancel_all("deadlock");  // again, if a shielded cleanup is blocked too
    ANYIO_EXPECTS(
        any_ready(state_),
        "unwind after a deadlock: an operation cannot be aborted\n",
        deadlock_report_
    );
}

}  // namespace anyio::lowlevel
