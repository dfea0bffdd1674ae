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
class possession;

/// What the scheduler does when a step's frames have returned; bits.
enum after_step : std::uint8_t {
    after_step_unwind = 1,  ///< unwind the current task from its leaf
    after_step_finish = 2,  ///< the current task's first frame has ended
    after_step_drop = 4,    ///< destroy the frame that `dropped` owns: it has ended
    after_step_next = 8,    ///< resume `next`: the trampoline
};

/// Ready operations that a task may complete in one step before it yields.
inline constexpr int step_budget = 128;

/// A look at the operating system costs some 200 ns and a step 5, so many steps share
/// one.
inline constexpr int steps_between_looks = 64;

/// Lists of possessions, by owner: when a task ends, the one it may have left something
/// in is short.
inline constexpr std::size_t possession_buckets = 64;

/// What operations need of the loop that runs their task.
///
/// @threads  loop
struct alignas(64) loop_state {
    // What each step writes is in one cache line: processors commit two neighbouring
    // stores to one line in a cycle, but only one if their lines differ.
    ready_node* ready_last = &ready;  ///< `&ready`: the queue is empty
    ready_node ready{};             ///< `next_ready` is the first of the queue, if any
    task_state* current = nullptr;  ///< the running task
    int budget = 0;                 ///< left in this step; negative: yield now
    int steps_to_look = steps_between_looks;  ///< until the loop looks outside
    std::uint8_t after = 0;                   ///< after_step bits
    bool unwinding = false;       ///< frames are being destroyed by a cancellation
    char* stack_floor = nullptr;  ///< below this, transfers go through the trampoline
    frame_owner* dropped = nullptr;
    frame_link* next = nullptr;
    std::uint64_t now_ticks = 0;  ///< processor ticks when `now` was read
    time_point now{};             ///< cached; see current()
    std::uint64_t next_id = 1;
    std::uint64_t next_look = steps_between_looks;  ///< the step before which it looks
    cancel_status* root_scope = nullptr;
    std::source_location ended_site;  ///< of the first frame of a task that has ended
    /// Of the first frame of every task without a handle.
    frame_owner root_owner{nullptr, nullptr, frame_stage::first};
    deadline_queue deadlines;
    scheduler* owner = nullptr;
    possession* possessions[possession_buckets] = {};

    /// Steps that were begun so far.
    [[nodiscard]] std::uint64_t steps() const noexcept {
        return next_look - static_cast<std::uint64_t>(steps_to_look);
    }
};

/// The loop that runs in this thread, or null. The library's, not inline: modules that hide
/// their symbols would have one each.
extern constinit thread_local loop_state* this_loop ANYIO_TLS_FAST;

/// The loop that runs in this thread.
///
/// @throws no_event_loop_error  naming `operation`, if there is none
[[nodiscard]] loop_state& require_loop(const char* operation);

/// Reads the clock; see current_loop_time().
time_point refresh_time(loop_state& loop) noexcept;

/// The loop's time, at most some 50 µs old: reading the real clock for each deadline
/// would cost more than the deadline (27 ns). The processor's tick counter tells when
/// the cached time is too old.
[[nodiscard]] inline time_point current_loop_time(loop_state& loop) noexcept {
#if defined(__x86_64__)
    // About 50 µs at 2-3 GHz. A counter that jumps back gives a huge difference, and so
    // only one more reading of the clock.
    constexpr std::uint64_t fresh_ticks = 1 << 17;
    if (__builtin_ia32_rdtsc() - loop.now_ticks < fresh_ticks) [[likely]]
        return loop.now;
#endif
    return refresh_time(loop);
}

[[nodiscard]] inline bool any_ready(const loop_state& loop) noexcept {
    return loop.ready_last != &loop.ready;
}

/// Appends to the ready queue. The task is not in it.
inline void push_ready(loop_state& loop, task_state& task) noexcept {
    loop.ready_last->next_ready = &task;
    loop.ready_last = &task;
}

/// Wakes a task that waits: its operation has its result (rule K2).
inline void reschedule(task_state& task) noexcept {
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
