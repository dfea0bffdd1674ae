// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// scheduler: one turn of the loop after the other. Private; the public part of a loop
/// is loop_state.

#include <anyio/backends/backend.hpp>
#include <anyio/base/exception_group.hpp>
#include <anyio/lowlevel/cancel_status.hpp>
#include <anyio/lowlevel/chooser.hpp>
#include <anyio/lowlevel/clock.hpp>
#include <anyio/lowlevel/loop_state.hpp>
#include <anyio/lowlevel/token.hpp>
#include "inbox.hpp"
#include "lanes.hpp"

#include <memory>
#include <source_location>
#include <unordered_map>
#include <vector>

namespace anyio::lowlevel {

/// Where steps are counted, since time is not real: a look costs more than a step.
inline constexpr int steps_between_looks = 64;

/// Where an exception began: the async stack when it left its first coroutine. It does not
/// keep the exception, which ends with its handler.
struct error_trace {
    const void* object = nullptr;             ///< what was thrown; only compared
    const frame_link* next = nullptr;         ///< the frame that it has come to
    std::vector<std::source_location> sites;  ///< innermost first
};

/// Runs the tasks of one thread. It is the thread's loop while it exists.
class scheduler {
public:
    /// @param clock      null: the system's
    /// @param busy_poll  how long to look again and again before going to sleep
    scheduler(
        std::unique_ptr<backends::backend> backend,
        clock* clock,
        duration busy_poll = duration::zero()
    );
    ~scheduler();

    scheduler(const scheduler&) = delete;
    scheduler& operator=(const scheduler&) = delete;

    /// Runs until `main` has ended.
    ///
    /// @throws deadlock_error  when nothing can ever wake a task; everything has been
    ///                         unwound then
    void run(task_state& main);

    [[nodiscard]] static scheduler& of(loop_state& loop) noexcept {
        return *loop.owner;
    }

    [[nodiscard]] loop_state& state() noexcept { return state_; }

    [[nodiscard]] backends::backend& backend() noexcept { return *backend_; }

    [[nodiscard]] clock& time_source() noexcept { return *clock_; }

    [[nodiscard]] task_state* main_task() const noexcept { return main_; }

    [[nodiscard]] event_loop_token token() const { return event_loop_token(inbox_); }

    /// The running step has spent its budget: whether it gets more, having been short.
    [[nodiscard]] bool refill_budget() noexcept;

    /// Whether the tasks are being unwound since none could ever run again.
    [[nodiscard]] bool deadlocked() const noexcept { return !deadlock_report_.empty(); }

    /// Keeps where the exception in flight began, until the next one.
    void note_error(frame_link& link) noexcept;
    /// The story of an error: the task, and where it began if note_error() kept that.
    /// During finish() of a task, what was known of it before its frames went.
    [[nodiscard]] exception_group::member
    story(std::exception_ptr error, task_state& task);

    /// Under a tool that makes the program 2^`shift` times slower, as valgrind does, steps
    /// would seem long: then a loop shall think in the time of an undisturbed run.
    void set_slowdown(unsigned shift) noexcept { slowdown_ = shift; }

    /// From the next step on; null: first come, first served.
    ///
    /// @returns  the one before
    chooser* set_chooser(chooser* decides) noexcept;

    /// Wakes `record`'s task when every other task is blocked. It is parked already.
    void add_idle_waiter(wait_record& record);
    void remove_idle_waiter(wait_record& record) noexcept;

    /// Values of run_var, by the address of the variable.
    [[nodiscard]] std::unordered_map<const void*, std::shared_ptr<void>>&
    variables() noexcept {
        return variables_;
    }

private:
    void run_timed();
    void run_counted();
    template <class Pop>
    void run_steps(Pop pop) noexcept;
    void step(task_state& task) noexcept;
    [[nodiscard]] task_state* choose() noexcept;
    void begin_unwinding(task_state& task) noexcept;
    void finish_step(task_state& task) noexcept;
    void finish(task_state& task) noexcept;
    static void last_child_ended(group_state& group, task_state& task) noexcept;
    void finish_slowly(task_state& task) noexcept;
    void note_name(const task_state& task) noexcept;
    [[nodiscard]] bool next_batch() noexcept;
    void end_batch(lane& turn) noexcept;
    void look_outside(bool ask_backend = true) noexcept;
    bool run_messages() noexcept;
    void fire_deadlines() noexcept;
    std::uint64_t admit(ready_node& last_before, lane& to) noexcept;
    void wait_outside();
    void wait_virtual();
    [[nodiscard]] bool spin(time_point until);
    [[nodiscard]] bool wake_idle_waiter() noexcept;
    [[nodiscard]] bool others_may_wake_us() const noexcept;

    [[nodiscard]] std::uint64_t ticks() const noexcept {
        return processor_ticks() >> slowdown_;
    }

    [[nodiscard]] bool anyone_ready() const noexcept {
        return any_ready(state_) || lanes_.due.first || lanes_.arrived.first;
    }

    [[nodiscard]] bool counts_steps() const noexcept {
        return chooser_ != nullptr || clock_ != &system_clock_;
    }

    void declare_deadlock();

    loop_state state_;
    cancel_status root_scope_;
    std::unique_ptr<backends::backend> backend_;
    system_clock system_clock_;
    clock* clock_;
    duration busy_poll_;
    std::shared_ptr<inbox> inbox_;
    task_state* main_ = nullptr;
    lanes lanes_;
    batch_meter meter_;
    look_meter looks_;
    unsigned slowdown_ = 0;
    std::uint64_t extended_step_ = 0;  ///< the last one that asked for more budget
    int spent_in_step_ = 0;            ///< what it has had
    int steps_to_look_ = steps_between_looks;
    chooser* chooser_ = nullptr;
    ready_node* chosen_from_ = nullptr;  ///< ready tasks that a chooser sees
    error_trace trace_;
    std::string failed_task_;  ///< its name, if it failed
    std::vector<wait_record*> idle_waiters_;
    std::unordered_map<const void*, std::shared_ptr<void>> variables_;
    std::string deadlock_report_;
};

}  // namespace anyio::lowlevel
