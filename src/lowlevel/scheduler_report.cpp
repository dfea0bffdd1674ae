// SPDX-License-Identifier: MIT
/// @file
/// What a scheduler tells of the errors and the deadlock of its tasks.

#include <anyio/base/assert.hpp>
#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/lowlevel/block.hpp>
#include "../base/thrown_object.hpp"
#include "scheduler.hpp"
#include "task_report.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace anyio::lowlevel {

namespace {

// Of a deeper chain of calls, the innermost: an error that passes a thousand nested groups
// would else have a thousand traces of a thousand lines.
constexpr std::size_t longest_trace = 64;

}  // namespace

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
        for (const frame_link* at = &link;
             at && at != &root_link() && trace_.sites.size() < longest_trace;
             at = at->parent)
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
    else
        result.task = task_name(task);
    return result;
}

namespace {

// What g++ 12 does to a coroutine that awaits in a condition and has no local variable:
// https://gcc.gnu.org/bugzilla/show_bug.cgi?id=106188
constexpr const char* about_lost_tasks =
    "A LOST task was resumed by the loop, but its coroutine did not go on. The usual cause "
    "is g++ 12: it compiles a coroutine wrongly that declares no local variable and awaits "
    "in a condition (GCC bug 106188), at or below the line shown. Instead of\n"
    "    if (co_await flag())\n"
    "write\n"
    "    const bool set = co_await flag();\n"
    "    if (set)\n"
    "or use a newer compiler; see docs/manual/compilers.md. Another cause is an awaitable "
    "of your own that suspends without lowlevel::wait_task_rescheduled(). Lost tasks, and "
    "those that wait for them, cannot be unwound: what they have is not released.\n";

constexpr const char* about_threads =
    "If another thread was to wake one: it may call nothing but "
    "event_loop_token::run_sync_soon(), and a loop waits as long as a token exists.\n";

}  // namespace

// Nothing is ready, due, under way or expected: no task can ever run again. The report
// comes before the unwinding, since that is when the tree still shows who waits for what.
void scheduler::declare_deadlock() {
    const auto tasks = all_tasks(state_);
    const bool some_are_lost =
        std::ranges::any_of(tasks, [](const auto* task) { return is_lost(*task); });
    if (deadlock_report_.empty())
        deadlock_report_ = describe(
            "deadlock: every task is blocked, and nothing that is under way can wake one\n",
            report_blocked_tasks(state_),
            some_are_lost ? about_lost_tasks : about_threads
        );
    root_scope_.cancel_all("deadlock");  // again, if a shielded cleanup is blocked too
    if (some_are_lost && !any_ready(state_))
        throw deadlock_error(deadlock_report_);
    ANYIO_EXPECTS(
        any_ready(state_),
        "unwind after a deadlock: an operation cannot be aborted\n",
        deadlock_report_
    );
}

}  // namespace anyio::lowlevel
