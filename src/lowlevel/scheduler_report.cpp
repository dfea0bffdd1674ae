// SPDX-License-Identifier: MIT
/// @file
/// What a scheduler tells of the errors and the deadlock of its tasks.

#include <anyio/base/assert.hpp>
#include <anyio/base/describe.hpp>
#include <anyio/lowlevel/block.hpp>
#include "../base/thrown_object.hpp"
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

namespace {

/// The coroutine that awaits this one; null for the first of a task.
const frame_link* awaiting_frame_of(const frame_link& link) noexcept {
    const frame_link* at = link.parent;
    while (at && at != &root_link() && at->is_block())
        at = at->parent;
    return at == &root_link() ? nullptr : at;
}

}  // namespace

void scheduler::note_error(frame_link& link) noexcept {
    if (link.owner->stage == frame_stage::first) {
        state_.current->set(task_failed);
        note_name(*state_.current);
    }
    const void* const object = anyio::detail::object_of(link.owner->error);
    // Another exception may be where one was that a handler has ended: such a one is new
    // here, or comes to another frame.
    const bool goes_on = trace_.object == object && trace_.next == &link &&
                         anyio::detail::caught_is_rethrown();
    trace_.next = awaiting_frame_of(link);
    if (goes_on)
        return;  // it began further inside
    trace_.object = object;
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
    if (trace_.object && trace_.object == anyio::detail::object_of(error)) {
        trace_.object = nullptr;
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
