// SPDX-License-Identifier: MIT
#include <anyio/synchronization/lock.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/lowlevel/wait_task_rescheduled.hpp>
#include "../lowlevel/task_report.hpp"

namespace anyio {

namespace {

[[noreturn]] void throw_held_already() {
    throw usage_error(
        "lock::acquire: this task has the lock already; a lock is not recursive"
    );
}

}  // namespace

constinit const lowlevel::wait_kind acquire_operation::kind_{
    &aborted, "lock::acquire", &describe
};

acquire_operation::acquire_operation(lock& wanted) noexcept
    : parked_wait(wanted.waiters_, kind_), wanted_(&wanted) {}

bool acquire_operation::await_ready() {
    lowlevel::loop_state& loop = *lowlevel::this_loop;
    if (lowlevel::cancelled(*loop.current))
        return false;
    if (wanted_->owner_ == loop.current)
        throw_held_already();
    if (wanted_->owner_)
        return false;
    wanted_->owner_ = loop.current;
    return --loop.budget >= 0;
}

void acquire_operation::await_suspend(std::coroutine_handle<> handle) noexcept {
    lowlevel::loop_state& loop = *lowlevel::this_loop;
    lowlevel::frame_link* const leaf = lowlevel::link_of(handle);
    if (lowlevel::cancelled(*loop.current))
        return lowlevel::unwind_now(loop, leaf);
    if (loop.budget < 0)
        return lowlevel::requeue(loop, leaf);  // it has the lock
    lowlevel::park(loop, leaf, *this);
    enqueue();
}

lowlevel::abort_result
acquire_operation::aborted(lowlevel::wait_record& record) noexcept {
    return leave_lot(record);
}

void acquire_operation::describe(
    const lowlevel::wait_record& record, std::string& out
) {
    const auto& self = static_cast<const acquire_operation&>(record);
    if (self.wanted_->owner_)
        out += anyio::describe(
            "held by \"", lowlevel::task_name(*self.wanted_->owner_), '"'
        );
}

bool lock::try_acquire() {
    auto& task = lowlevel::current();
    if (owner_ == &task)
        throw_held_already();
    if (owner_)
        return false;
    owner_ = &task;
    return true;
}

void lock::acquire_nowait() {
    if (!try_acquire())
        throw would_block("lock::acquire_nowait: another task has the lock");
}

void lock::release() {
    if (owner_ != &lowlevel::current())
        throw usage_error("lock::release: this task does not have the lock");
    hand_over();
}

void lock::hand_over() noexcept {
    lowlevel::parked_wait* const next = waiters_.front();
    owner_ = next ? next->task : nullptr;
    waiters_.unpark();
}

lock_statistics lock::statistics() const {
    lock_statistics result{
        .locked = locked(), .owner = {}, .tasks_waiting = waiters_.size()
    };
    if (owner_)
        for (const auto& task : get_running_tasks())
            if (task.id() == owner_->id())
                result.owner = task;
    return result;
}

}  // namespace anyio
