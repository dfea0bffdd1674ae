// SPDX-License-Identifier: MIT
#include <anyio/synchronization/condition.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include "../lowlevel/task_report.hpp"

namespace anyio {

namespace detail {

namespace {

lowlevel::unwind_step pass_on(lowlevel::block&, lowlevel::loop_state&) noexcept {
    return {.pass_on = true};
}

lowlevel::cancel_status* no_scope(lowlevel::block&) noexcept {
    return nullptr;
}

}  // namespace

constinit const lowlevel::block_kind predicate_block_kind{
    &pass_on, "condition::wait_for", &no_scope
};

constinit const lowlevel::wait_kind condition_wait::kind_{
    &aborted, "condition::wait", &describe
};

condition_wait::condition_wait(condition& awaited) noexcept
    : lock_wait(*awaited.lock_, awaited.waiters_, kind_), awaited_(&awaited) {}

bool condition_wait::await_ready() const {
    awaited_->require_lock("condition::wait");
    return false;
}

void condition_wait::await_suspend(lowlevel::awaiting_frame handle) noexcept {
    wait_at(lowlevel::link_of(handle));
}

void condition_wait::wait_at(lowlevel::frame_link* leaf) noexcept {
    lowlevel::loop_state& loop = *lowlevel::this_loop;
    if (lowlevel::cancelled(*loop.current))
        return lowlevel::unwind_now(loop, leaf);
    lowlevel::park(loop, leaf, *this);
    enqueue(awaited_->waiters_);
    wanted_->give_back();
}

void condition_wait::await_resume() const {
    if (failed_)
        std::rethrow_exception(wanted_->broken_);
}

// Guards in the frames that are about to go release the lock, so the task needs it first:
// at once if it is free, else it queues up for it, at the end like everybody.
lowlevel::abort_result condition_wait::aborted(lowlevel::wait_record& record) noexcept {
    auto& self = static_cast<condition_wait&>(record);
    if (&self.lot() != &self.awaited_->waiters_)
        return lowlevel::abort_result::pending;  // notified: rule K2
    return self.wanted_->take_to_unwind(self);
}

void condition_wait::describe(const lowlevel::wait_record& record, std::string& out) {
    const auto& self = static_cast<const condition_wait&>(record);
    if (&self.lot() == &self.awaited_->waiters_)
        out += "for a notification";
    else if (const auto* owner = self.wanted_->owner())
        out += anyio::describe(
            "notified; lock held by \"", lowlevel::task_name(*owner), '"'
        );
}

}  // namespace detail

void condition::require_lock(const char* operation) const {
    if (!lock_->is_mine())
        throw usage_error(
            describe(operation, ": this task does not have the lock; hold() it first")
        );
}

void condition::notify(std::size_t count) {
    require_lock("condition::notify");
    waiters_.repark(lock_->waiters_, count);
}

}  // namespace anyio
