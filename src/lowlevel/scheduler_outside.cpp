// SPDX-License-Identifier: MIT
// What the scheduler does between steps: looks at the clock, at other threads and at the
// operating system, and waits for them.
#include <anyio/base/assert.hpp>
#include <anyio/lowlevel/frame_memory.hpp>
#include <anyio/lowlevel/sleep_operation.hpp>
#include "scheduler.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace anyio::lowlevel {

namespace {

// Under a virtual clock, sockets and other processes still need real time: how long they
// are given before the clock jumps over them.
constexpr duration io_grace = std::chrono::milliseconds(20);

// Some 10 µs of work each time that the loop has nothing to do.
constexpr std::size_t pages_trimmed_when_idle = 8;

}  // namespace

// Some steps, each with the operations that were ready in it, have been made.
void scheduler::end_batch(lane& turn) noexcept {
    const std::uint64_t now = ticks();
    lanes_.charge(turn, now);
    meter_.end(now);
    if (looks_.is_due(now, state_.step_count)) {
        look_outside();
        meter_.skip(ticks());
    }
    state_.budget = meter_.size();
}

bool scheduler::refill_budget() noexcept {
    if (counts_steps())
        return false;  // run_counted() has given it all
    if (extended_step_ != state_.step_count) {
        extended_step_ = state_.step_count;
        spent_in_step_ = 0;
        meter_.begin_extensions();
    }
    const int more = meter_.extend(ticks());
    spent_in_step_ += more;
    if (more == 0 || spent_in_step_ > step_budget)
        return false;
    state_.budget = more;
    return true;
}

void budget_spent(loop_state& loop, frame_link* leaf) noexcept {
    if (loop.owner->refill_budget())
        continue_with(loop, leaf);
    else
        requeue(loop, leaf);
}

// Between passes: what other threads, the operating system and the clock have for us.
void scheduler::look_outside(bool ask_backend) noexcept {
    steps_to_look_ = steps_between_looks;
    ready_node* const last_before = state_.ready_last;
    run_messages();
    const bool asks = ask_backend && backend_->pending() != 0;
    if (asks)
        backend_->wait(duration::zero());
    const std::uint64_t woken = admit(*last_before, lanes_.arrived);
    fire_deadlines();
    if (ask_backend)
        looks_.looked(ticks(), state_.step_count, woken);
    meter_.set_longest(
        asks || !state_.deadlines.empty() || others_may_wake_us()
            ? batch_meter::most_steps_watched
            : batch_meter::most_steps
    );
}

// One batch: those who post shall not keep the loop from what else there is to see. Where
// steps are counted, time does not matter.
bool scheduler::run_messages() noexcept {
    return inbox_->run_batch(
        counts_steps() ? std::numeric_limits<std::uint64_t>::max() : noticeable_ticks
    );
}

// Moves those that were woken since from the end of the ready queue to a lane. They are
// counted as far as it matters for the next look.
std::uint64_t scheduler::admit(ready_node& last_before, lane& to) noexcept {
    if (state_.ready_last == &last_before || counts_steps())
        return 0;
    ready_node& oldest = *last_before.next_ready;
    ready_node& newest = *std::exchange(state_.ready_last, &last_before);
    to.append(oldest, newest);
    constexpr std::uint64_t enough = 16;
    std::uint64_t woken = 1;
    for (const ready_node* task = &oldest; task != &newest && woken < enough; ++woken)
        task = task->next_ready;
    return woken;
}

void scheduler::fire_deadlines() noexcept {
    if (state_.deadlines.empty())
        return;
    const time_point now = refresh_time(state_);
    ready_node* const last_before = state_.ready_last;
    while (timer* const expired = state_.deadlines.pop_expired(now)) {
        switch (expired->kind) {
        case timer_kind::sleep:
            reschedule(*static_cast<sleep_operation*>(expired)->task);
            break;
        case timer_kind::scope:
            cancel_status::expired(*expired);
            break;
        case timer_kind::call: {
            auto& call = static_cast<call_timer&>(*expired);
            call.function(call);
            break;
        }
        }
    }
    (void)admit(*last_before, lanes_.due);
}

// Nothing is ready. If all that is left is to wait, one system call both looks and waits.
void scheduler::wait_outside() {
    look_outside(!idle_waiters_.empty() || clock_ != &system_clock_);
    if (anyone_ready() || wake_idle_waiter())
        return;
    const time_point next = state_.deadlines.earliest();
    if (next == never && backend_->pending() == 0 && !others_may_wake_us())
        return declare_deadlock();
    if (clock_ != &system_clock_)
        return wait_virtual();

    trim_frame_memory(pages_trimmed_when_idle);
    if (busy_poll_ != duration::zero() && spin(next))
        return;
    // However many messages come, the operating system is asked each time.
    inbox_->begin_wait();
    backend_->wait(inbox_->empty() ? between(state_.now, next) : duration::zero());
    inbox_->end_wait();
    run_messages();
    const std::uint64_t woken = admit(state_.ready, lanes_.arrived);
    fire_deadlines();
    const std::uint64_t now = ticks();
    looks_.looked(now, state_.step_count, woken);
    lanes_.charged_until = now;
    meter_.restart(now);
    state_.budget = meter_.size();
}

/// Looks again and again, instead of sleeping. True: there is something to run, or due.
bool scheduler::spin(time_point until) {
    const time_point end = std::min(until, after(refresh_time(state_), busy_poll_));
    do {
        look_outside();
        if (anyone_ready())
            return true;
    } while (refresh_time(state_) < end);
    return end == until;
}

// The same under a clock that may jump. Whatever is under way outside comes first.
void scheduler::wait_virtual() {
    const time_point next = state_.deadlines.earliest();
    const bool outside = others_may_wake_us() || backend_->pending() != 0;
    const bool jumps = next != never && clock_->jump(state_.now);  // only asks
    inbox_->begin_wait();
    if (inbox_->empty()) {
        if (!jumps)
            backend_->wait(between(state_.now, next));
        else if (outside)
            backend_->wait(io_grace);
    }
    inbox_->end_wait();
    const bool posted = run_messages();
    if (jumps && !posted && !any_ready(state_))
        (void)clock_->jump(next);
    fire_deadlines();
}

bool scheduler::others_may_wake_us() const noexcept {
    if (inbox_.use_count() > 1)
        return true;
    // The last token may have gone just after its post.
    std::atomic_thread_fence(std::memory_order_acquire);
    return !inbox_->empty();
}

// testing::wait_all_tasks_blocked: the first that came is woken first, alone, so that
// the next one finds everything blocked again.
bool scheduler::wake_idle_waiter() noexcept {
    if (idle_waiters_.empty())
        return false;
    wait_record* const first = idle_waiters_.front();
    idle_waiters_.erase(idle_waiters_.begin());
    reschedule(*first->task);
    return true;
}

void scheduler::add_idle_waiter(wait_record& record) {
    idle_waiters_.push_back(&record);
}

void scheduler::remove_idle_waiter(wait_record& record) noexcept {
    idle_waiters_.erase(std::ranges::find(idle_waiters_, &record));
}

time_point refresh_time(loop_state& loop) noexcept {
    loop.now = loop.owner->time_source().now();
    loop.now_ticks = processor_ticks();
    return loop.now;
}

#if !defined(__x86_64__)
std::uint64_t processor_ticks() noexcept {
    return static_cast<std::uint64_t>(system_clock().now().time_since_epoch().count());
}
#endif

}  // namespace anyio::lowlevel
