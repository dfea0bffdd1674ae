// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/cancel_status.hpp>

#include <anyio/base/assert.hpp>
#include <anyio/base/describe.hpp>
#include <anyio/lowlevel/cancel_cause.hpp>
#include <anyio/lowlevel/checkpoint.hpp>
#include <anyio/lowlevel/loop_state.hpp>
#include "task_report.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace anyio::lowlevel {

namespace {

// Rule K3: aborts at once, but runs no user code; the frames are unwound when the loop
// takes the task from the ready queue.
void deliver_to(task_state& task) noexcept {
    wait_record* const record = task.wait;
    if (!record || task.has(task_abort_requested))
        return;
    if (record == &yield_record) {
        if (&task == this_loop->current)
            return;              // it runs, and will see for itself
        task.set(task_unwinds);  // it is in the ready queue already
        task.wait = nullptr;
    } else if (record->kind->abort(*record) == abort_result::done) {
        reschedule_cancelled(task);
    } else {
        task.set(task_abort_requested);
    }
}

}  // namespace

namespace {

[[noreturn]] void in_wrong_thread(const char* what) noexcept {
    constexpr bool thread_runs_the_loop = false;
    ANYIO_EXPECTS(
        thread_runs_the_loop,
        what,
        " from a thread that does not run its loop; events, locks, streams, scopes and "
        "groups belong to the thread of their loop: from another one, post a function to "
        "it by event_loop_token::run_sync_soon()"
    );
    std::abort();  // not reached
}

// The root of the tree is the loop's.
bool is_of_this_loop(const cancel_status* scope) noexcept {
    constexpr int most =
        64;  // deeper ones are not looked at: this is done at each wake-up
    for (int i = 0; scope->parent() && i < most; ++i)
        scope = scope->parent();
    return this_loop && (scope->parent() || scope == this_loop->root_scope);
}

}  // namespace

void expect_thread_of(const task_state& task) noexcept {
    if (!is_of_this_loop(task.scope)) [[unlikely]]
        in_wrong_thread("a task was woken");
}

void cancel_status::forget_cause() noexcept {
    cancel_cause::release(cause_);
}

void cancel_status::link(cancel_status& parent) noexcept {
    parent_ = &parent;
    prev_ = parent.last_child_;
    next_ = nullptr;
    (prev_ ? prev_->next_ : parent.first_child_) = this;
    parent.last_child_ = this;
}

void cancel_status::unlink() noexcept {
    (prev_ ? prev_->next_ : parent_->first_child_) = next_;
    (next_ ? next_->prev_ : parent_->last_child_) = prev_;
}

void cancel_status::start_deadline(loop_state& loop) {
    loop.deadlines.make_room();
    const time_point now = current_loop_time(loop);
    if (relative_) {
        deadline_ = after(now, deadline_.time_since_epoch());
        relative_ = false;
    }
    if (deadline_ <= now && !has(scope_cancel_called)) [[unlikely]] {
        set(scope_cancel_called);
        set(scope_by_deadline);
    }
}

void cancel_status::enter_as_base(cancel_status& parent, task_state& task) noexcept {
    link(parent);
    host_ = &task;
    task.scope = this;
    set(scope_entered);
    if (has(scope_cancel_called) ||
        (!has(scope_shielded) && parent.has(scope_effective)))
        set(scope_effective);
}

void cancel_status::enter_as_root(task_state& main) noexcept {
    host_ = &main;
    main.scope = this;
    set(scope_entered);
}

void cancel_status::leave_tree(loop_state& loop) noexcept {
    loop.deadlines.disarm(deadline_timer_);
    unlink();
}

const cancel_status* cancel_status::origin() const noexcept {
    for (const cancel_status* s = this; s && s->has(scope_effective); s = s->parent_)
        if (s->has(scope_cancel_called))
            return s;
    return nullptr;
}

bool cancel_status::absorb() noexcept {
    if (!has(scope_cancel_called) || cancelled_from_outside())
        return false;
    set(scope_caught);
    return true;
}

void cancel_status::cancel(
    std::string_view reason, std::source_location where
) noexcept {
    if (has(scope_cancel_called))
        return;
    set(scope_cancel_called);
    try {
        const auto* task = this_loop ? this_loop->current : nullptr;
        cause_ = new cancel_cause{std::string(reason), where, task ? task->id() : 0};
    } catch (const std::bad_alloc&) {
        // The cancellation matters, its story does not.
    }
    refresh();
}

void cancel_status::set_timeout(duration timeout) noexcept {
    relative_ = true;
    deadline_ = time_point(timeout);
}

void cancel_status::set_deadline(time_point deadline) {
    if (has(scope_entered) && !has(scope_left) && !has(scope_cancel_called)) {
        join_tree();
        auto& queue = this_loop->deadlines;
        if (deadline == never) {
            queue.disarm(deadline_timer_);
        } else if (deadline <= refresh_time(*this_loop)) {
            expired(deadline_timer_);
        } else if (deadline_timer_.armed()) {
            queue.move(deadline_timer_, deadline);
        } else {
            queue.arm(deadline_timer_, deadline);
        }
    }
    deadline_ = deadline;
    relative_ = false;
}

void cancel_status::set_shield(bool shielded) noexcept {
    if (shielded)
        set(scope_shielded);
    else
        clear(scope_shielded);
    refresh();
}

void cancel_status::reparent(cancel_status& parent) noexcept {
    join_tree();
    unlink();
    link(parent);
    refresh();
}

time_point cancel_status::deadline() const noexcept {
    if (!relative_ || deadline_ == never)
        return deadline_;
    if (!this_loop)
        return never;
    return after(current_loop_time(*this_loop), deadline_.time_since_epoch());
}

time_point cancel_status::effective_deadline() const noexcept {
    if (has(scope_effective))
        return time_point::min();
    time_point earliest = never;
    for (const cancel_status* s = this; s; s = s->parent_) {
        earliest = std::min(earliest, s->deadline());
        if (s->has(scope_shielded))
            break;
    }
    return earliest;
}

void cancel_status::join_tree(loop_state& loop, cancel_status& innermost) noexcept {
    for (cancel_status* s = &innermost; s->has(scope_apart); s = s->parent_) {
        s->clear(scope_apart);
        s->link(*s->parent_);
        if (s->deadline_ == never || s->has(scope_cancel_called))
            continue;
        if (s->relative_) {  // around an operation that suspends now
            s->deadline_ = s->deadline();
            s->relative_ = false;
        }
        loop.deadlines.arm(s->deadline_timer_, s->deadline_);
    }
}

void cancel_status::limit_apart(loop_state& loop, cancel_status& innermost) noexcept {
    std::size_t count = 0;
    for (const cancel_status* s = &innermost; s->has(scope_apart); s = s->parent_)
        ++count;
    if (count >= deadline_queue::promised / 2)
        join_tree(loop, innermost);
}

void cancel_status::join_tree() noexcept {
    if (this_loop && this_loop->current)
        join_tree(*this_loop, *this_loop->current->scope);
}

void cancel_status::expired(timer& entry) noexcept {
    cancel_status& scope = *static_cast<scope_timer&>(entry).scope;
    if (scope.has(scope_cancel_called))
        return;
    if (scope.fails_)
        scope.note_wait();
    scope.set(scope_cancel_called);
    scope.set(scope_by_deadline);
    scope.refresh();
}

bool cancel_status::notice_deadline() noexcept {
    if (!has(scope_cancel_called) && !has(scope_left) && this_loop) {
        const time_point when = deadline();
        if (when != never && when <= current_loop_time(*this_loop))
            expired(deadline_timer_);
    }
    return has(scope_cancel_called);
}

// Before anything is aborted: afterwards nobody waits any more.
void cancel_status::note_wait() noexcept {
    if (!host_ || host_ == this_loop->current)
        return;
    try {
        cause_ = new cancel_cause{describe_wait(*host_), {}, 0};
    } catch (const std::bad_alloc&) {
        // The deadline matters, its story does not.
    }
}

void cancel_status::cancel_all(std::string_view reason) noexcept {
    join_tree();
    cancel(reason, std::source_location::current());
    refresh_tree(true);
}

void cancel_status::refresh() noexcept {
    if (!is_in_use())
        return;
#if ANYIO_DEBUG
    if (!is_of_this_loop(this))
        in_wrong_thread("a scope was cancelled or its shield changed");
#endif
    join_tree();
    refresh_tree(false);
}

// Preorder without recursion, since scopes nest thousands deep. A subtree whose top does
// not change cannot change below.
void cancel_status::refresh_tree(bool forced) noexcept {
    cancel_status* node = this;
    while (node) {
        const bool changed = node->update(forced);
        node = node->next_in_tree(this, changed || forced);
    }
}

cancel_status* cancel_status::next_in_tree(cancel_status* root, bool descend) noexcept {
    if (descend && first_child_)
        return first_child_;
    cancel_status* node = this;
    while (node != root && !node->next_)
        node = node->parent_;
    return node == root ? nullptr : node->next_;
}

bool cancel_status::update(bool forced) noexcept {
    const bool now_effective =
        forced || has(scope_cancel_called) ||
        (!has(scope_shielded) && parent_ && parent_->has(scope_effective));
    if (now_effective == has(scope_effective))
        return false;
    if (!now_effective) {
        clear(scope_effective);
        return true;
    }
    set(scope_effective);
    deliver();
    return true;
}

void cancel_status::deliver() noexcept {
    if (host_ && host_->scope == this)
        deliver_to(*host_);
    if (!group_)
        return;
    // Newest first, as destructors run. Unwinding goes from the innermost frame, which is
    // the newest too, so it walks through memory in one direction: that is 2.5 times
    // faster than oldest first where the tasks are ten frames deep.
    for (task_state* child = group_->last; child; child = child->prev)
        if (child->scope == this)
            deliver_to(*child);
}

std::string why(const cancel_cause* cause, bool by_deadline) {
    if (by_deadline) {
        std::string text = ": its deadline has passed";
        if (cause && !cause->reason.empty())
            text += describe(" while it waited in ", cause->reason);
        return text;
    }
    if (!cause)
        return {};
    std::string text;
    if (cause->task_id != 0)
        text += describe(" by task ", cause->task_id);
    std::string_view file = cause->where.file_name();
    file.remove_prefix(file.rfind('/') + 1);  // npos + 1 is 0
    if (cause->where.line() != 0)
        text += describe(" at ", file, ':', cause->where.line());
    if (!cause->reason.empty())
        text += describe(": ", cause->reason);
    return text;
}

}  // namespace anyio::lowlevel
