// SPDX-License-Identifier: MIT
#include "scheduler.hpp"

#include <anyio/base/assert.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/lowlevel/block.hpp>
#include <anyio/lowlevel/checkpoint.hpp>
#include <anyio/lowlevel/frame_memory.hpp>
#include <anyio/lowlevel/possession.hpp>
#include <anyio/lowlevel/sleep_operation.hpp>
#include <anyio/lowlevel/spawn.hpp>
#include <anyio/lowlevel/task_extra.hpp>

#include <algorithm>

namespace anyio::lowlevel {

constinit thread_local loop_state* this_loop ANYIO_TLS_FAST = nullptr;

namespace {

// How far the stack may grow by transfers before frames return to the loop.
constexpr std::ptrdiff_t stack_slack = std::ptrdiff_t{128} * 1024;

// Under a virtual clock, sockets and other processes still need real time: how long they
// are given before the clock jumps over them.
constexpr duration io_grace = std::chrono::milliseconds(20);

// Some 10 µs of work each time that the loop has nothing to do.
constexpr std::size_t pages_trimmed_when_idle = 8;

// A crowd that is cancelled lies in memory as it was made, at even distances, and has long
// left the caches: asking for the fourth task from here halves the cost of each.
void prefetch_crowd(const task_state& task, const ready_node& next) noexcept {
    const auto here = reinterpret_cast<std::uintptr_t>(&task);
    const auto stride = reinterpret_cast<std::uintptr_t>(&next) - here;
    for (const std::uintptr_t line : {0U, 64U, 128U})
        __builtin_prefetch(reinterpret_cast<const void*>(here + 4 * stride + line));
}

abort_result yield_aborted(wait_record&) noexcept {
    return abort_result::done;
}

}  // namespace

constinit const wait_kind yield_kind{&yield_aborted, "checkpoint", nullptr};
constinit wait_record yield_record{yield_kind};

void checkpoint_operation::suspend_slowly(loop_state& loop, frame_link* leaf) noexcept {
    if (cancelled(*loop.current))
        return unwind_now(loop, leaf);
    requeue(loop, leaf);
    loop.current->wait = &yield_record;
}

namespace {

// The oldest task that is ready; null if there is none.
ANYIO_ALWAYS_INLINE task_state* pop_ready(loop_state& loop) noexcept {
    if (!any_ready(loop))
        return nullptr;
    auto* const oldest = static_cast<task_state*>(loop.ready.next_ready);
    if (oldest == loop.ready_last)
        loop.ready_last = &loop.ready;
    else
        loop.ready.next_ready = oldest->next_ready;
    return oldest;
}

}  // namespace

scheduler::scheduler(
    std::unique_ptr<backends::backend> backend, clock* clock, duration busy_poll
)
    : backend_(std::move(backend)), clock_(clock ? clock : &system_clock_),
      busy_poll_(busy_poll), inbox_(std::make_shared<inbox>(*backend_)) {
    state_.owner = this;
    state_.root_scope = &root_scope_;
    state_.now = clock_->now();
    this_loop = &state_;
}

scheduler::~scheduler() {
    inbox_->close();
    variables_.clear();  // their destructors may still ask for the loop
    this_loop = nullptr;
}

void scheduler::run(task_state& main) {
    main_ = &main;
    state_.stack_floor = static_cast<char*>(__builtin_frame_address(0)) - stack_slack;
    while (!main.has(task_finished)) {
        if (chooser_) [[unlikely]] {
            if (!step_chosen()) {
                wait_outside();
                continue;
            }
        } else if (any_ready(state_)) {
            run_ready();
        } else {
            wait_outside();
            continue;
        }
        if (state_.steps_to_look <= 0)
            look_outside();
    }
    if (!deadlock_report_.empty())
        throw deadlock_error(deadlock_report_);
}

// First come, first served, so that nobody starves; until it is time to look outside.
void scheduler::run_ready() noexcept {
    while (task_state* const task = pop_ready(state_)) {
        step(*task);
        if (state_.steps_to_look <= 0) [[unlikely]]
            break;
    }
    state_.current = nullptr;
}

ANYIO_ALWAYS_INLINE void scheduler::step(task_state& task) noexcept {
    loop_state& loop = state_;
    --loop.steps_to_look;
    loop.current = &task;
    loop.budget = step_budget;
    if (task.marks.flags & (task_unwinds | task_abort_requested)) [[unlikely]]
        begin_unwinding(task);
    else
        handle_of(task.leaf).resume();
    if (loop.after) [[unlikely]] {
        // A child without a handle that has returned, or was unwound: that is how most
        // tasks end.
        if (loop.after == after_step_finish &&
            (task.marks.flags & ~task_was_cancelled) == 0) {
            loop.after = 0;
            finish(task);
        } else {
            finish_step(task);
        }
    }
}

bool scheduler::step_chosen() noexcept {
    if (!chosen_from_ && !any_ready(state_))
        return false;
    chooser_->before_choice();
    if (!chosen_from_ || chooser_->reach() == chooser::scope::step) {
        ready_node** end = &chosen_from_;
        while (*end)
            end = &(*end)->next_ready;
        if (any_ready(state_)) {
            *end = state_.ready.next_ready;
            state_.ready_last->next_ready = nullptr;
            state_.ready_last = &state_.ready;
        }
    }
    std::size_t count = 0;
    for (const ready_node* task = chosen_from_; task; task = task->next_ready)
        ++count;
    std::size_t index = chooser_->choose(count);
    ANYIO_EXPECTS(
        index < count,
        "lowlevel::chooser::choose: answered ",
        index,
        " of ",
        count,
        "; it must be less"
    );
    ready_node** link = &chosen_from_;
    for (; index != 0; --index)
        link = &(*link)->next_ready;
    auto& task = static_cast<task_state&>(**link);
    *link = task.next_ready;
    step(task);
    state_.current = nullptr;
    return true;
}

chooser* scheduler::set_chooser(chooser* decides) noexcept {
    // Whoever was chosen from goes back to the head of the queue.
    if (ready_node* const first = std::exchange(chosen_from_, nullptr)) {
        ready_node* last = first;
        while (last->next_ready)
            last = last->next_ready;
        if (any_ready(state_))
            last->next_ready = state_.ready.next_ready;
        else
            state_.ready_last = last;
        state_.ready.next_ready = first;
    }
    // What runs now has its loop: it shall ask again.
    state_.next_look = state_.steps();
    state_.steps_to_look = 0;
    return std::exchange(chooser_, decides);
}

void scheduler::begin_unwinding(task_state& task) noexcept {
    if (any_ready(state_))
        prefetch_crowd(task, *state_.ready.next_ready);
    const bool unwinds = task.has(task_unwinds);
    task.clear(task_abort_requested);
    task.clear(task_unwinds);
    frame_link* const next = unwinds ? unwind(state_, task.leaf) : task.leaf;
    if (next)
        handle_of(next).resume();
}

// The frames have returned, but the step is not over.
void scheduler::finish_step(task_state& task) noexcept {
    loop_state& loop = state_;
    do {
        const std::uint8_t after = std::exchange(loop.after, std::uint8_t{0});
        if (after & after_step_drop)
            handle_of(std::exchange(loop.dropped->child, nullptr)).destroy();
        frame_link* next = nullptr;
        if (after & after_step_next)
            next = std::exchange(loop.next, nullptr);
        else if (after & after_step_unwind)
            next = unwind(loop, task.leaf);
        else if (after & after_step_finish)
            return finish_slowly(task);
        if (next)
            handle_of(next).resume();
    } while (loop.after);
}

// The task's first frame has gone, without an error, and nobody but its group wants to
// know.
ANYIO_ALWAYS_INLINE void scheduler::finish(task_state& task) noexcept {
    group_state& group = *task.group;
    group.remove(task);
    if (task.has(task_was_cancelled)) [[unlikely]]
        group.saw_cancel = true;
    if (group.empty()) [[unlikely]]
        last_child_ended(group, task);
    if (task.kind->destroy)
        task.kind->destroy(task);
    release_task_block(task);
}

void scheduler::last_child_ended(group_state& group, task_state& task) noexcept {
    const bool cancelled = task.has(task_was_cancelled);
    const task_end end = cancelled ? task_end::cancelled : task_end::value;
    group.child_ended(group, task, end, nullptr);
}

// The same for all others.
void scheduler::finish_slowly(task_state& task) noexcept {
    group_state* const group = task.group;
    task_end end = task_end::value;
    std::exception_ptr error;
    if (task.has(task_was_cancelled)) {
        end = task_end::cancelled;
    } else if (task.has(task_failed) && group) {
        end = task_end::error;
        error = std::exchange(task.kind->owner(task, state_).error, nullptr);
    }
    frameless_ = &task;
    if (group)
        group->remove(task);
    if (task.kind->ended)
        task.kind->ended(task, end, error);
    if (group && end == task_end::cancelled)
        group->saw_cancel = true;
    if (group && (end == task_end::error || group->empty()))
        group->child_ended(*group, task, end, std::move(error));
    frameless_ = nullptr;
    trace_.error = nullptr;
    failed_task_.clear();  // nobody has asked for it if start() took the error
    if (task.kind->destroy)
        task.kind->destroy(task);
    if (task.has(task_is_watched)) [[unlikely]]
        possession::abandon_all(state_, task);
    task.set(task_finished);
    if (!task.has(task_frame_inside) && !task.has(task_handled))
        release_task_block(task);
}

// Between passes: what other threads, the operating system and the clock have for us.
void scheduler::look_outside(bool ask_backend) noexcept {
    state_.next_look = state_.steps() + steps_between_looks;
    state_.steps_to_look = steps_between_looks;
    inbox_->run_all();
    if (ask_backend && backend_->pending() != 0)
        backend_->wait(duration::zero());
    if (!state_.deadlines.empty())
        fire_deadlines(refresh_time(state_));
}

void scheduler::fire_deadlines(time_point now) noexcept {
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
}

// Nothing is ready. If all that is left is to wait, one system call both looks and waits.
void scheduler::wait_outside() {
    look_outside(!idle_waiters_.empty() || clock_ != &system_clock_);
    if (any_ready(state_) || wake_idle_waiter())
        return;
    const time_point next = state_.deadlines.earliest();
    if (next == never && backend_->pending() == 0 && !others_may_wake_us())
        return declare_deadlock();
    if (clock_ != &system_clock_)
        return wait_virtual();

    trim_frame_memory(pages_trimmed_when_idle);
    if (busy_poll_ != duration::zero() && spin(next))
        return;
    inbox_->begin_wait();
    if (inbox_->empty())
        backend_->wait(between(state_.now, next));
    inbox_->end_wait();
    inbox_->run_all();
    fire_deadlines(refresh_time(state_));
}

/// Looks again and again, instead of sleeping. True: there is something to run, or due.
bool scheduler::spin(time_point until) {
    const time_point end = std::min(until, after(refresh_time(state_), busy_poll_));
    do {
        look_outside();
        if (any_ready(state_))
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
    const bool posted = inbox_->run_all();
    if (jumps && !posted && !any_ready(state_))
        (void)clock_->jump(next);
    fire_deadlines(refresh_time(state_));
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
#if defined(__x86_64__)
    loop.now_ticks = __builtin_ia32_rdtsc();
#endif
    return loop.now;
}

}  // namespace anyio::lowlevel
