// SPDX-License-Identifier: MIT
#include <anyio/synchronization/lock.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/lowlevel/wait_task_rescheduled.hpp>
#include "../lowlevel/task_report.hpp"

#include <cstdio>
#include <new>

namespace anyio {

namespace detail {

constinit const lowlevel::wait_kind lock_acquire::kind_{
    &aborted, "lock::acquire", &describe
};

lowlevel::abort_result lock_acquire::aborted(lowlevel::wait_record& record) noexcept {
    return leave_lot(record);
}

void lock_acquire::describe(const lowlevel::wait_record& record, std::string& out) {
    const auto& self = static_cast<const lock_acquire&>(record);
    if (const auto* owner = self.wanted_->owner())
        out += anyio::describe("held by \"", lowlevel::task_name(*owner), '"');
}

}  // namespace detail

bool lock::is_mine() const noexcept {
    return owner() && lowlevel::this_loop && owner() == lowlevel::this_loop->current;
}

bool lock::refuse(lowlevel::loop_state& loop) const {
    if (owner() == loop.current)
        throw usage_error(
            "lock::acquire: this task has the lock already; a lock is not recursive"
        );
    if (broken_)
        std::rethrow_exception(broken_);
    return false;
}

#if ANYIO_DEBUG

// Whom `task` waits for, if that is for a lock.
const lowlevel::task_state* lock::owner_of_wanted(const lowlevel::task_state& task) {
    if (!task.wait || task.wait->kind != &detail::lock_acquire::kind_)
        return nullptr;
    return static_cast<const detail::lock_acquire*>(task.wait)->wanted_->owner();
}

// Only a report: a deadline, or somebody who cancels, may yet free one of them.
void lock::must_wait() const noexcept {
    constexpr int longest =
        100;  // the search may have come to a cycle without this task
    const lowlevel::task_state* const self = lowlevel::this_loop->current;
    const lowlevel::task_state* task = owner();
    for (int i = 0; task && task != self && i < longest; ++i)
        task = owner_of_wanted(*task);
    if (task != self)
        return;
    try {
        std::string chain = describe(
            "anyio: lock::acquire: deadlock: \"", lowlevel::task_name(*self), '"'
        );
        const char* link = " waits for a lock of \"";
        for (task = owner();; task = owner_of_wanted(*task)) {
            chain += describe(link, lowlevel::task_name(*task), '"');
            link = ", which waits for a lock of \"";
            if (task == self)
                break;
        }
        chain += "; acquire locks in the same order everywhere\n";
        std::fputs(chain.c_str(), stderr);
    } catch (const std::bad_alloc&) {
        // No report.
    }
}

#else

void lock::must_wait() const noexcept {}

#endif

bool lock::try_acquire() {
    (void)lowlevel::current();  // throws outside of a task
    return try_take(*lowlevel::this_loop);
}

void lock::acquire_nowait() {
    if (!try_acquire())
        throw would_block("lock::acquire_nowait: another task has the lock");
}

void lock::release() {
    if (!is_mine())
        throw usage_error("lock::release: this task does not have the lock");
    give_back();
}

void lock::give_back() noexcept {
    if (!owner())
        return;  // broken meanwhile
    drop();
    if (waiters_.empty())
        return;
    auto& next = static_cast<detail::lock_wait&>(*waiters_.front());
    take(*next.task);
    if (next.unwinds_)
        next.task->set(lowlevel::task_unwinds);
    waiters_.unpark();
}

lowlevel::abort_result lock::take_to_unwind(detail::lock_wait& waiting) noexcept {
    if (locked() && !broken_) {
        waiting.unwinds_ = true;
        waiting.lot().repark_one(waiting, waiters_);
        return lowlevel::abort_result::pending;
    }
    detail::lock_wait::leave_lot(waiting);
    if (!broken_)
        take(*waiting.task);
    return lowlevel::abort_result::done;
}

void lock::owner_ended(
    lowlevel::possession& possession, const lowlevel::task_state& owner
) noexcept {
    auto& self = static_cast<lock&>(possession);
    try {
        self.broken_ = std::make_exception_ptr(broken_resource_error(describe(
            "lock::acquire: task \"",
            lowlevel::task_name(owner, lowlevel::this_loop->ended_site),
            "\" has ended without having released the lock; keep the result of hold() in "
            "a variable of the task"
        )));
    } catch (const std::bad_alloc&) {
        self.broken_ = std::current_exception();
    }
    while (!self.waiters_.empty()) {
        auto& waiting = static_cast<detail::lock_wait&>(*self.waiters_.front());
        waiting.failed_ = true;
        if (waiting.unwinds_)
            waiting.task->set(lowlevel::task_unwinds);
        self.waiters_.unpark();
    }
}

lock_statistics lock::statistics() const {
    lock_statistics result{
        .locked = locked(), .owner = {}, .tasks_waiting = waiters_.size()
    };
    if (owner())
        result.owner = lowlevel::info_of(*owner());
    return result;
}

}  // namespace anyio
