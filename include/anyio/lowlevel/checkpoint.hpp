// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// checkpoint and its halves: let others run, look for cancellation.
/// Manual: docs/manual/cancellation.md#checkpoints

#include <anyio/lowlevel/operation.hpp>

namespace anyio::lowlevel {

/// The wait of a task that has yielded: it is in the ready queue, and may be cancelled.
extern const wait_kind yield_kind;
/// One record serves all tasks that have yielded.
extern constinit wait_record yield_record;

/// See checkpoint().
class [[nodiscard]] checkpoint_operation : public leaf_base {
public:
    checkpoint_operation() noexcept = default;

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    void await_suspend(awaiting_frame handle) const noexcept {
        loop_state& loop = *this_loop;
        task_state& task = *loop.current;
        if (must_look(task)) [[unlikely]]
            return suspend_slowly(loop, link_of(handle));
        task.leaf = link_of(handle);
        task.wait = &yield_record;
        push_ready(loop, task);
    }

    void await_resume() const noexcept {}

private:
    static void suspend_slowly(loop_state& loop, frame_link* leaf) noexcept;
};

/// See checkpoint_if_cancelled().
class [[nodiscard]] cancel_point_operation : public awaitable_base {
public:
    cancel_point_operation() noexcept = default;

    [[nodiscard]] bool await_ready() const noexcept {
        return !cancelled(*this_loop->current);
    }

    void await_suspend(awaiting_frame handle) const noexcept {
        unwind_now(*this_loop, link_of(handle));
    }

    void await_resume() const noexcept {}
};

/// See checkpoint_if_due().
class [[nodiscard]] due_point_operation : public leaf_base {
public:
    due_point_operation() noexcept = default;

    [[nodiscard]] bool await_ready() const noexcept {
        loop_state& loop = *this_loop;
        return !cancelled(*loop.current) && spend_budget(loop);
    }

    void await_suspend(awaiting_frame handle) const noexcept {
        loop_state& loop = *this_loop;
        if (cancelled(*loop.current)) [[unlikely]]
            return unwind_now(loop, link_of(handle));
        budget_spent(loop, link_of(handle));
    }

    void await_resume() const noexcept {}
};

/// See cancel_shielded_checkpoint().
class [[nodiscard]] schedule_point_operation : public awaitable_base {
public:
    schedule_point_operation() noexcept = default;

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    void await_suspend(awaiting_frame handle) const noexcept {
        requeue(*this_loop, link_of(handle));
    }

    void await_resume() const noexcept {}
};

/// Lets every other task that is ready run once, and looks for cancellation before and
/// after.
///
/// @checkpoint    always
/// @cancellation  atomic
/// @threads       loop
/// @allocates     nothing
/// @anyio         anyio.lowlevel.checkpoint
[[nodiscard]] inline checkpoint_operation checkpoint() noexcept {
    return {};
}

/// Unwinds the task if it is cancelled; otherwise goes on at once.
///
/// @checkpoint    never; it only looks for cancellation
/// @cancellation  atomic
/// @threads       loop
/// @allocates     nothing
/// @anyio         anyio.lowlevel.checkpoint_if_cancelled
[[nodiscard]] inline cancel_point_operation checkpoint_if_cancelled() noexcept {
    return {};
}

/// Unwinds the task if it is cancelled; otherwise uses up some of the budget of the task's
/// step, and lets others run if that is gone. What an operation made of coroutines begins
/// with, if it may then have nothing to wait for: what comes out of a buffer is a step too.
///
/// @checkpoint    always; whether others run depends on the budget
/// @cancellation  atomic
/// @threads       loop
/// @allocates     nothing
[[nodiscard]] inline due_point_operation checkpoint_if_due() noexcept {
    return {};
}

/// Lets every other task that is ready run once; not interrupted by cancellation.
///
/// @checkpoint    never; it only lets others run
/// @cancellation  none
/// @threads       loop
/// @allocates     nothing
/// @anyio         anyio.lowlevel.cancel_shielded_checkpoint
[[nodiscard]] inline schedule_point_operation cancel_shielded_checkpoint() noexcept {
    return {};
}

}  // namespace anyio::lowlevel
