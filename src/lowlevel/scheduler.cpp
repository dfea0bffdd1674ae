// SPDX-License-Identifier: MIT
#include "scheduler.hpp"

#include <anyio/base/assert.hpp>
#include <anyio/base/drop.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/lowlevel/block.hpp>
#include <anyio/lowlevel/checkpoint.hpp>
#include <anyio/lowlevel/possession.hpp>
#include <anyio/lowlevel/spawn.hpp>
#include <anyio/lowlevel/task_extra.hpp>
#include "../backends/posix/stack.hpp"

#include <algorithm>

namespace anyio::lowlevel {

constinit thread_local loop_state* this_loop ANYIO_TLS_FAST = nullptr;

namespace {

// How far the stack may grow by transfers before frames return to the loop.
constexpr std::ptrdiff_t stack_slack = std::ptrdiff_t{128} * 1024;

// What is left to the functions that tasks call, where the stack is small.
constexpr std::ptrdiff_t stack_reserve = std::ptrdiff_t{48} * 1024;

// Where transfers end: at `here`, if there is no room for them.
char* stack_floor(char* here) noexcept {
    char* const lowest = backends::posix::lowest_stack_address(here);
    const std::ptrdiff_t room = lowest ? here - lowest - stack_reserve : stack_slack;
    return here - std::clamp(room, std::ptrdiff_t{0}, stack_slack);
}

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
    main_ = nullptr;
    const inbox::closing last_posts_vanish;
    inbox_->close();
    // Their destructors may still ask for the loop, and for variables, which so come back;
    // but not for ever.
    constexpr int rounds = 8;
    for (int i = 0; i < rounds && !variables_.empty(); ++i)
        drop(variables_);
    this_loop = nullptr;
}

void scheduler::run(task_state& main) {
    main_ = &main;
    state_.stack_floor = stack_floor(static_cast<char*>(__builtin_frame_address(0)));
    while (!main.has(task_finished))
        counts_steps() ? run_counted() : run_timed();
    if (!deadlock_report_.empty())
        throw deadlock_error(deadlock_report_);
}

// Real time: lanes take turns, measured by the processor's tick counter.
void scheduler::run_timed() {
    if (state_.budget <= 0)
        [[unlikely]]  // at the start, or steps were counted until now
        end_batch(lanes_.ordinary);
    lane* const turn = lanes_.next(any_ready(state_));
    if (!turn)
        return wait_outside();
    if (turn == &lanes_.ordinary)
        run_steps([this]() { return pop_ready(state_); });
    else
        run_steps([turn]() { return turn->pop(); });
    if (state_.budget <= 0)
        end_batch(*turn);
}

template <class Pop>
ANYIO_ALWAYS_INLINE void scheduler::run_steps(Pop pop) noexcept {
    while (task_state* const task = pop()) {
        step(*task);
        if (state_.budget <= 0 && !next_batch()) [[unlikely]]
            break;
    }
    state_.current = nullptr;
}

// Nearly all batches are short, and follow a look: then there is nothing else to do.
ANYIO_ALWAYS_INLINE bool scheduler::next_batch() noexcept {
    const std::uint64_t now = ticks();
    if (!looks_.has_just_looked(now) || !meter_.goes_on(now))
        return false;
    state_.budget = meter_.size();
    return true;
}

// Time that a clock of the tests makes, or an order that a chooser makes: what happens
// must not depend on how fast the machine is.
void scheduler::run_counted() {
    task_state* const task = chooser_ ? choose() : pop_ready(state_);
    if (!task)
        return wait_outside();
    state_.budget = step_budget + 1;  // the step takes one
    step(*task);
    state_.current = nullptr;
    if (--steps_to_look_ <= 0)
        look_outside();
    else
        fire_deadlines();
}

ANYIO_ALWAYS_INLINE void scheduler::step(task_state& task) noexcept {
    loop_state& loop = state_;
    --loop.budget;
    ++loop.step_count;
    loop.current = &task;
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

task_state* scheduler::choose() noexcept {
    if (!chosen_from_ && !any_ready(state_))
        return nullptr;
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
    return &task;
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
    // Whoever waits in a lane is chosen from too, in the order in which they would run.
    for (lane* from : {&lanes_.arrived, &lanes_.due}) {
        if (!from->first)
            continue;
        if (any_ready(state_))
            from->last->next_ready = state_.ready.next_ready;
        else
            state_.ready_last = from->last;
        state_.ready.next_ready = std::exchange(from->first, nullptr);
    }
    // What runs now has its way of going on: it shall ask again.
    state_.budget = 0;
    steps_to_look_ = 0;
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
            finish_slowly(task);
        if (next)
            handle_of(next).resume();
    } while (loop.after);
    if (extended_step_ == loop.step_count)
        loop.budget = 0;  // what is left of its extension is not for others
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
    if (task.kind->destroy) {
        task.leaf = nullptr;
        task.kind->destroy(task);
    }
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
    task.leaf = nullptr;
    if (group)
        group->remove(task);
    if (task.kind->ended)
        task.kind->ended(task, end, error);
    if (group && end == task_end::cancelled)
        group->saw_cancel = true;
    if (group && (end == task_end::error || group->empty()))
        group->child_ended(*group, task, end, std::move(error));
    trace_.object = nullptr;
    failed_task_.clear();  // nobody has asked for it if start() took the error
    if (task.kind->destroy)
        task.kind->destroy(task);
    if (task.has(task_is_watched)) [[unlikely]]
        possession::abandon_all(task);
    task.set(task_finished);
    if (!task.has(task_frame_inside) && !task.has(task_handled))
        release_task_block(task);
}

}  // namespace anyio::lowlevel
