// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// task_state: the scheduler's record of one task, and what it may wait for.

#include <anyio/lowlevel/frame.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>

namespace anyio::lowlevel {

class cancel_status;
struct task_state;
struct group_state;
struct task_extra;
struct loop_state;
class possession;

/// What an abort function answers.
enum class abort_result : std::uint8_t {
    /// The operation had no effect and will never wake the task.
    done,
    /// The operation goes on; it will wake the task, and its result decides.
    pending,
};

struct wait_record;

/// The constant part of a wait: one static object for each kind of operation.
struct wait_kind {
    /// Called at most once per wait, when the task is cancelled; runs no user code.
    abort_result (*abort)(wait_record&) noexcept;
    /// What the task is doing, as a user would say it: "sleep", "event::wait".
    const char* name;
    /// Adds details to a report ("4.2 s to go", "fd 7"); null if there are none.
    void (*describe)(const wait_record&, std::string&);
    /// Whether it waits for the children of the group whose scope its task is in.
    bool joins_children = false;
};

/// Registered with a task while it waits (rule K1); part of every operation.
struct wait_record {
    constexpr explicit wait_record(const wait_kind& k) noexcept
        : kind(&k), task(nullptr) {}

    const wait_kind* kind;
    task_state* task;  ///< the waiting task; set by park()

protected:
    /// For operations of which most never wait: they set both when they do.
    wait_record() noexcept {}
};

/// How a task ended.
enum class task_end : std::uint8_t { value, error, cancelled };

/// The constant part of a task: how to hand on its outcome and destroy what it owns.
/// Null functions do nothing.
struct task_kind {
    /// Called when the first frame has gone, before the group hears of it. May take an
    /// error away by clearing it.
    void (*ended)(task_state&, task_end&, std::exception_ptr&) noexcept;
    /// Where the first frame left its outcome.
    frame_owner& (*owner)(task_state&, loop_state&) noexcept;
    /// Destroys the callable and its arguments, once the first frame has gone.
    void (*destroy)(task_state&) noexcept;
    /// Destroys what the handle looked at, once the handle has gone too.
    void (*forget)(task_state&) noexcept;
    std::uint32_t prefix;  ///< bytes before the record; a multiple of 32
};

/// Bits of task_marks::flags.
enum task_flag : std::uint8_t {
    task_unwinds = 1,          ///< next step: unwind instead of resume
    task_abort_requested = 2,  ///< abort() answered "pending"
    task_frame_inside = 4,     ///< a frame lives in this record's block
    task_handled = 8,          ///< a task_handle keeps this record
    task_finished = 16,
    task_was_cancelled = 32,  ///< its first frame was unwound
    task_failed = 64,         ///< an exception has left its first frame
    /// Somebody wants to know of its end: its kind has an `ended`, or it has had a
    /// possession.
    task_is_watched = 128,
};

/// The small members of a task's record.
struct task_marks {
    /// What `id_low` and `id_high` hold: enough for nine hours of nothing but spawning.
    /// Of later tasks, task_extra has the rest.
    static constexpr int id_bits = 40;
    static constexpr std::size_t most_units = (std::size_t{1} << 16) - 1;

    std::uint32_t id_low;
    std::uint8_t id_high;
    std::uint8_t flags;         ///< task_flag bits
    std::uint16_t block_units;  ///< size of the whole block, in units of 32 bytes

    /// Without flags. One store instead of four; so neither may be larger than its place:
    /// allocate_task() sees to that.
    [[nodiscard]] static task_marks of(std::uint64_t id, std::size_t units) noexcept {
        if constexpr (std::endian::native == std::endian::little)
            return std::bit_cast<task_marks>(id | std::uint64_t{units} << 48);
        else
            return {
                static_cast<std::uint32_t>(id),
                static_cast<std::uint8_t>(id >> 32),
                0,
                static_cast<std::uint16_t>(units)
            };
    }
};

/// A place in the ready queue.
struct ready_node {
    ready_node* next_ready;  // set by whoever is appended
};

/// One task. Followed in memory by its first frame, preceded by the callable and its
/// arguments: one allocation in all (see spawn.hpp). 80 bytes, so that a frame behind
/// it has an address that is odd in units of 16; that is how free_frame() knows it.
///
/// @threads  loop
struct task_state : ready_node {
    // What has no initial value is set by start_task() and group_state::add(), together:
    // writing 80 bytes twice shows in the cost of a task.
    task_state(const task_kind& k, std::uint64_t id, std::size_t units) noexcept
        : kind(&k), marks(task_marks::of(id, units)) {}

    task_state(const task_state&) = delete;  // frames and the group know its address
    task_state& operator=(const task_state&) = delete;

    /// Innermost link while suspended: resume this. Null once the frames have gone.
    frame_link* leaf;
    /// What it waits for; null: it is ready to go on with its result. Stale while it runs:
    /// null, or the yield_record of its last checkpoint.
    wait_record* wait;
    cancel_status* scope;          ///< the innermost scope it is in
    group_state* group = nullptr;  ///< who waits for it; null: the main task
    task_state* prev;              ///< among the group's children, in spawn order
    task_state* next;
    const task_kind* kind;
    /// What few tasks have: the first of its possessions, or, if the lowest bit is set, its
    /// task_extra, which then has that. Usually null.
    possession* rare = nullptr;
    task_marks marks;

    /// Name, context; usually null.
    [[nodiscard]] task_extra* extra() const noexcept {
        const auto bits = reinterpret_cast<std::uintptr_t>(rare);
        return (bits & 1) != 0 ? reinterpret_cast<task_extra*>(bits - 1) : nullptr;
    }

    /// Unique in a run.
    [[nodiscard]] std::uint64_t id() const noexcept {
        const std::uint64_t low = std::uint64_t{marks.id_high} << 32 | marks.id_low;
        return rare ? low | id_beyond_marks() : low;
    }

    [[nodiscard]] bool has(task_flag flag) const noexcept {
        return (marks.flags & flag) != 0;
    }

    void set(task_flag flag) noexcept {
        marks.flags = static_cast<std::uint8_t>(marks.flags | flag);
    }

    void clear(task_flag flag) noexcept {
        marks.flags = static_cast<std::uint8_t>(marks.flags & ~flag);
    }

private:
    [[nodiscard]] std::uint64_t id_beyond_marks() const noexcept;
};

static_assert(sizeof(task_state) == 80 && sizeof(task_state) % 32 == 16);

/// What one group needs to know of its children; the rest is in tasks/.
struct group_state {
    task_state* first = nullptr;  ///< oldest child
    task_state* last = nullptr;
    cancel_status* scope = nullptr;  ///< what children start in
    task_state* host = nullptr;      ///< the task that is in the group's block
    bool saw_cancel = false;         ///< a child was unwound
    /// A child has ended and left the list: it failed (then there is an error), or was
    /// the last. Not called for the others.
    void (*child_ended)(group_state&, task_state&, task_end, std::exception_ptr&&) noexcept =
        nullptr;

    void add(task_state& child) noexcept {
        child.group = this;
        child.prev = last;
        child.next = nullptr;
        (last ? last->next : first) = &child;
        last = &child;
    }

    void remove(task_state& child) noexcept {
        (child.prev ? child.prev->next : first) = child.next;
        (child.next ? child.next->prev : last) = child.prev;
    }

    /// Whether every child has ended.
    [[nodiscard]] bool empty() const noexcept { return first == nullptr; }

    /// Children that have not ended. Counts them: O(n).
    [[nodiscard]] std::size_t count() const noexcept {
        std::size_t number = 0;
        for (const task_state* child = first; child; child = child->next)
            ++number;
        return number;
    }
};

}  // namespace anyio::lowlevel
