// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// loop_state: the part of a running loop that operations touch. One loop, one thread;
/// no atomics here.

#include <anyio/base/time.hpp>
#include <anyio/lowlevel/cancel_status.hpp>
#include <anyio/lowlevel/task_state.hpp>
#include <anyio/lowlevel/timer.hpp>

#include <cstddef>
#include <cstdint>

namespace anyio::lowlevel {

class scheduler;

/// What the scheduler does when a step's frames have returned; bits.
enum after_step : std::uint8_t {
    after_step_unwind = 1,  ///< unwind the current task from its leaf
    after_step_finish = 2,  ///< the current task's first frame has ended
    after_step_drop = 4,    ///< destroy the frame that `dropped` owns: it has ended
    after_step_next = 8,    ///< resume `next`: the trampoline
};

/// Operations that are ready which a task may complete in one step before it yields, if
/// they do not take long.
inline constexpr int step_budget = 128;

/// What operations need of the loop that runs their task.
///
/// @threads  loop
struct alignas(64) loop_state {
    // What each step writes is in one cache line: processors commit two neighbouring
    // stores to one line in a cycle, but only one if their lines differ.
    ready_node* ready_last = &ready;  ///< `&ready`: the queue is empty
    ready_node ready{};             ///< `next_ready` is the first of the queue, if any
    task_state* current = nullptr;  ///< the running task
    /// Steps, and operations that are ready, until the loop reads the clock. Negative: the
    /// task that has just completed an operation yields.
    int budget = 0;
    std::uint8_t after = 0;  ///< after_step bits
    bool unwinding = false;  ///< frames are being destroyed by a cancellation
    std::uint64_t step_count = 0;
    char* stack_floor = nullptr;  ///< below this, transfers go through the trampoline
    frame_owner* dropped = nullptr;
    frame_link* next = nullptr;
    std::uint64_t now_ticks = 0;  ///< processor ticks when `now` was read
    time_point now{};             ///< cached; see current()
    std::uint64_t next_id = 1;
    cancel_status* root_scope = nullptr;
    std::source_location ended_site;  ///< of the first frame of a task that has ended
    /// Of the first frame of every task without a handle.
    frame_owner root_owner{nullptr, nullptr, frame_stage::first};
    deadline_queue deadlines;
    scheduler* owner = nullptr;

    /// Steps that were begun so far.
    [[nodiscard]] std::uint64_t steps() const noexcept { return step_count; }
};

/// The loop that runs in this thread, or null. The library's, not inline: modules that hide
/// their symbols would have one each.
extern constinit thread_local loop_state* this_loop ANYIO_TLS_FAST;

/// The loop that runs in this thread.
///
/// @throws no_event_loop_error  naming `operation`, if there is none
[[nodiscard]] loop_state& require_loop(const char* operation);

/// @throws no_event_loop_error  naming `operation`
[[noreturn]] void throw_no_loop(const char* operation);

/// Reads the clock; see current_loop_time().
time_point refresh_time(loop_state& loop) noexcept;

#if defined(__x86_64__)
/// The processor's tick counter: half the cost of the clock. Only differences mean
/// something, and a negative one is huge: what was to be done after a while is done now.
[[nodiscard]] inline std::uint64_t processor_ticks() noexcept {
    return __builtin_ia32_rdtsc();
}

/// About 50 µs, at 2 to 4 GHz: how late the loop may notice what comes from outside.
inline constexpr std::uint64_t noticeable_ticks = 1 << 17;
#else
/// Nanoseconds of the clock.
[[nodiscard]] std::uint64_t processor_ticks() noexcept;

inline constexpr std::uint64_t noticeable_ticks = 50'000;
#endif

/// The loop's time, at most some 50 µs old: reading the real clock for each deadline
/// would cost more than the deadline (27 ns). The processor's tick counter tells when
/// the cached time is too old.
[[nodiscard]] inline time_point current_loop_time(loop_state& loop) noexcept {
#if defined(__x86_64__)
    if (processor_ticks() - loop.now_ticks < noticeable_ticks) [[likely]]
        return loop.now;
#endif
    return refresh_time(loop);
}

/// For each operation that completes at once, whatever it had to do: no loop of awaits may
/// keep others from running. False: await_suspend() calls budget_spent().
[[nodiscard]] ANYIO_ALWAYS_INLINE bool spend_budget(loop_state& loop) noexcept {
    if (--loop.budget >= 0) [[likely]]
        return true;
    return false;
}

/// For await_suspend() of an operation that is complete, though the budget was spent: the
/// task goes on at once if its step has not taken long, else it yields first. It cannot be
/// cancelled there (rule K2).
[[gnu::cold]] void budget_spent(loop_state& loop, frame_link* leaf) noexcept;

[[nodiscard]] inline bool any_ready(const loop_state& loop) noexcept {
    return loop.ready_last != &loop.ready;
}

/// Appends to the ready queue. The task is not in it.
inline void push_ready(loop_state& loop, task_state& task) noexcept {
    loop.ready_last->next_ready = &task;
    loop.ready_last = &task;
}

/// Ends the program if the calling thread does not run the loop of `task`.
void expect_thread_of(const task_state& task) noexcept;

/// Wakes a task that waits: its operation has its result (rule K2). Debug builds notice
/// other threads.
inline void reschedule(task_state& task) noexcept {
#if ANYIO_DEBUG
    expect_thread_of(task);
#endif
    task.wait = nullptr;
    push_ready(*this_loop, task);
}

/// Wakes a task whose operation was aborted: it unwinds instead of returning.
inline void reschedule_cancelled(task_state& task) noexcept {
    task.set(task_unwinds);
    reschedule(task);
}

/// What a task has to see to before it suspends: it is cancelled, or scopes are apart.
[[nodiscard]] inline bool must_look(const task_state& task) noexcept {
    return (task.scope->flags() & (scope_effective | scope_apart)) != 0;
}

inline void cancel_status::enter_around_leaf(loop_state& loop, task_state& task) {
    if (deadline_ != never) {
        if (task.scope->has(scope_apart)) [[unlikely]]
            limit_apart(loop, *task.scope);
        if (relative_ && deadline_ > time_point()) [[likely]]
            loop.deadlines.make_room();
        else
            start_deadline(loop);
    }
    enter_apart(task);
}

/// Suspends the running task at `leaf`, waiting for `record`. Whoever completes the
/// operation calls reschedule().
inline void park(loop_state& loop, frame_link* leaf, wait_record& record) noexcept {
    task_state& task = *loop.current;
    record.task = &task;
    task.leaf = leaf;
    task.wait = &record;
    if (task.scope->has(scope_apart)) [[unlikely]]
        cancel_status::join_tree(loop, *task.scope);
}

/// Suspends the running task at `leaf` and puts it at the end of the ready queue; it
/// cannot be cancelled there.
inline void requeue(loop_state& loop, frame_link* leaf) noexcept {
    task_state& task = *loop.current;
    task.leaf = leaf;
    task.wait = nullptr;
    if (task.scope->has(scope_apart)) [[unlikely]]
        cancel_status::join_tree(loop, *task.scope);
    push_ready(loop, task);
}

/// Ends the running step by unwinding the task from `leaf`.
inline void unwind_now(loop_state& loop, frame_link* leaf) noexcept {
    loop.current->leaf = leaf;
    loop.after |= after_step_unwind;
}

[[nodiscard]] inline bool cancelled(const task_state& task) noexcept {
    return task.scope->has(scope_effective);
}

namespace detail {

/// __builtin_frame_address() would make every coroutine keep a frame pointer.
[[nodiscard]] ANYIO_ALWAYS_INLINE char* stack_pointer() noexcept {
    char* here;
#if defined(__x86_64__)
    asm("mov %%rsp, %0" : "=r"(here));
#elif defined(__aarch64__)
    asm("mov %0, sp" : "=r"(here));
#else
    here = static_cast<char*>(__builtin_frame_address(0));
#endif
    return here;
}

}  // namespace detail

/// Whether frames may go on calling each other. They must not for ever: a chain of calls
/// may be longer than the stack.
[[nodiscard]] ANYIO_ALWAYS_INLINE bool
stack_is_shallow(const loop_state& loop) noexcept {
    return detail::stack_pointer() > loop.stack_floor;
}

/// Continues with `to` once the running frames have returned to the loop.
inline void continue_with(loop_state& loop, frame_link* to) noexcept {
    loop.next = to;
    loop.after |= after_step_next;
}

/// Continues with `to` by symmetric transfer. g++ makes that a tail call only at some
/// optimisation levels, and never under sanitizers; so there, when the stack has grown,
/// the frames return to the loop first. The check costs a third of a nanosecond.
[[nodiscard]] ANYIO_ALWAYS_INLINE std::coroutine_handle<>
transfer([[maybe_unused]] loop_state& loop, frame_link* to) noexcept {
#if ANYIO_GCC || ANYIO_SANITIZED
    if (!stack_is_shallow(loop)) [[unlikely]] {
        continue_with(loop, to);
        return std::noop_coroutine();
    }
#endif
    return handle_of(to);
}

}  // namespace anyio::lowlevel

namespace anyio {

/// Whether frames of the calling thread are being destroyed because of a cancellation:
/// for guards that commit on success and roll back otherwise, as
/// std::uncaught_exceptions() tells them for exceptions.
///
/// @threads  any
[[nodiscard]] inline bool unwinding() noexcept {
    return lowlevel::this_loop && lowlevel::this_loop->unwinding;
}

}  // namespace anyio
