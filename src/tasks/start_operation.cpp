// SPDX-License-Identifier: MIT
#include <anyio/tasks/detail/start_operation.hpp>

#include <anyio/base/errors.hpp>

namespace anyio::detail {

namespace {

void leave_waiting_room(lowlevel::group_state&, lowlevel::task_state&, lowlevel::task_end, std::exception_ptr&&) noexcept {
}

}  // namespace

constinit const lowlevel::wait_kind start_core::wait_kind_{
    &child_decides, "task_group::start", nullptr
};

// The child is cancelled through its scope, which is inside the caller's until it is
// ready; how it ends is how the wait ends.
lowlevel::abort_result start_core::child_decides(lowlevel::wait_record&) noexcept {
    return lowlevel::abort_result::pending;
}

void start_core::require_open() const {
    group_->require_open("task_group::start");
}

// A child that is cancelled already runs to its first checkpoint all the same (rule K5).
void start_core::await_suspend(lowlevel::awaiting_frame handle) noexcept {
    lowlevel::loop_state& loop = *lowlevel::this_loop;
    frame_link* const leaf = lowlevel::link_of(handle);
    if (waiting_room_.empty())
        return lowlevel::requeue(loop, leaf);  // ready before it was a task
    lowlevel::park(loop, leaf, *this);
}

void start_core::adopt(
    start_state& state,
    lowlevel::task_state& child,
    frame_link& first,
    frame_owner& owner
) {
    lowlevel::loop_state& loop = *lowlevel::this_loop;
    lowlevel::task_state& starter = *loop.current;
    lowlevel::start_task(loop, child, first, owner);
    state.child = &child;
    if (state.called && !lowlevel::cancelled(starter)) {
        // Its function was no coroutine, and has called started() before it returned one.
        state.now = start_state::stage::started;
        state.scope.enter_as_base(*group_->scope, child);
        group_->add(child);
        return;
    }
    waiting_room_.host = &starter;
    waiting_room_.scope = starter.scope;
    waiting_room_.child_ended = &leave_waiting_room;
    waiting_room_.add(child);
    state.scope.enter_as_base(*starter.scope, child);
    state.scope.set_group(&waiting_room_);  // so that reports find the child
    state.starter = &starter;
    state.target = group_;
    group_->expect_child();
}

void start_core::check(const start_state& state) const {
    if (state.error)
        std::rethrow_exception(state.error);
    if (!state.called)
        throw usage_error(
            "task_group::start: child exited without calling task_status.started()"
        );
}

bool begin_started(start_state& state) {
    if (state.called)
        throw usage_error(
            "task_status::started: called twice; a task is ready once, and start() has "
            "returned the first value"
        );
    state.called = true;
    return state.now == start_state::stage::waiting;
}

void finish_started(start_state& state) noexcept {
    if (!state.child || state.scope.has(lowlevel::scope_effective))
        return;
    lowlevel::task_state& child = *state.child;
    state.now = start_state::stage::started;
    state.scope.set_group(nullptr);
    child.group->remove(child);
    state.target->add(child);
    state.scope.reparent(*state.target->scope);
    lowlevel::reschedule(*std::exchange(state.starter, nullptr));
    state.target->expected_child_has_come();
}

void child_of_start_ended(
    start_state& state,
    lowlevel::task_state&,
    lowlevel::task_end& end,
    std::exception_ptr& error
) noexcept {
    state.child = nullptr;
    state.scope.leave(*lowlevel::this_loop);
    if (state.now != start_state::stage::waiting)
        return;
    state.now = start_state::stage::ended;
    state.scope.set_group(nullptr);
    lowlevel::task_state& starter = *std::exchange(state.starter, nullptr);
    if (end == lowlevel::task_end::error) {
        state.error = std::exchange(error, nullptr);
        lowlevel::reschedule(starter);
    } else if (end == lowlevel::task_end::value && state.called) {
        lowlevel::reschedule(starter);
    } else if (lowlevel::cancelled(starter)) {
        lowlevel::reschedule_cancelled(starter);
    } else {
        lowlevel::reschedule(starter);
    }
    state.target->expected_child_has_come();
}

}  // namespace anyio::detail
