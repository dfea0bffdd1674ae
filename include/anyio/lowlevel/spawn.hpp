// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// How a task is made: one block of memory for what it calls, its record and its first
/// frame. For those who build task groups and entry points.

#include <anyio/lowlevel/block.hpp>
#include <anyio/lowlevel/context.hpp>
#include <anyio/lowlevel/frame_memory.hpp>
#include <anyio/lowlevel/loop_state.hpp>
#include <anyio/lowlevel/task_extra.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

namespace anyio::lowlevel {

/// Frees what a record has outside its block.
void release_task_extras(task_state& task) noexcept;

/// Ends the memory of a task whose last tenant has gone.
inline void release_task_block(task_state& task) noexcept {
    const std::size_t size =
        std::size_t{task.marks.block_units} * detail::frame_granule;
    void* const memory = reinterpret_cast<char*>(&task) - task.kind->prefix;
    if (task.rare || task.kind->forget) [[unlikely]]
        release_task_extras(task);
    free_block(memory, size);
}

/// The frame inside a task's block was its last tenant. Out of line, and so are the other
/// rare ends of a frame: coroutines that call nothing there save no registers at each
/// resumption.
void release_after_frame(task_state& task) noexcept;

/// The frame that lived inside a task's block has been destroyed.
inline void release_inside_frame(task_state& task) noexcept {
    task.clear(task_frame_inside);
    if (task.has(task_finished) && !task.has(task_handled)) [[unlikely]]
        release_after_frame(task);
}

/// Memory for a coroutine frame; inside a task's block if one is waiting for it.
[[nodiscard]] inline void* allocate_frame(std::size_t size) {
    auto& slot = detail::this_frame_slot;
    if (slot.at) [[unlikely]] {
        if (size > slot.size || 2 * size < slot.size) [[unlikely]]
            slot.asked = size;
        if (size <= slot.size) {
            void* const inside = slot.at;
            slot.at = nullptr;
            auto* const task = reinterpret_cast<task_state*>(
                static_cast<char*>(inside) - sizeof(task_state)
            );
            task->set(task_frame_inside);
            return inside;
        }
    }
    return allocate_block(size);
}

inline void free_frame(void* frame, std::size_t size) noexcept {
    // Blocks are aligned to 32; a frame inside a task's block follows an 80-byte record.
    if (reinterpret_cast<std::uintptr_t>(frame) & 16) {
        release_inside_frame(*reinterpret_cast<task_state*>(
            static_cast<char*>(frame) - sizeof(task_state)
        ));
        return;
    }
    free_block(frame, size);
}

/// The first frame of a task, if it is not inside the task's block; else null.
[[nodiscard]] const frame_link* first_frame_in_extra(const task_state& task) noexcept;

[[nodiscard]] inline const frame_link*
first_frame_elsewhere(const task_state& task) noexcept {
    return task.extra() ? first_frame_in_extra(task) : nullptr;
}

/// @throws std::bad_alloc
void remember_first_frame(task_state& task, frame_link& first);

/// How large the first frames of one kind of spawn were; a hint, shared by all threads.
using frame_size_hint = std::atomic<std::uint32_t>;

/// allocate_task() for a block that the recycler does not serve.
///
/// @throws std::bad_alloc
[[nodiscard]] task_state&
allocate_large_task(loop_state& loop, const task_kind& kind, std::size_t frame);

/// Makes a record whose id is larger than task_marks can hold, in a block of `units`.
///
/// @throws std::bad_alloc  the block has been freed then
[[nodiscard]] task_state& make_late_task(
    void* memory, const task_kind& kind, std::uint64_t id, std::size_t units
);

/// A new record with `kind.prefix` bytes before it and room for a frame behind it.
///
/// @throws std::bad_alloc  also for more than 2 MiB
[[nodiscard]] inline task_state&
allocate_task(loop_state& loop, const task_kind& kind, std::size_t frame) {
    constexpr std::size_t unit = detail::frame_granule;
    const std::size_t size =
        (kind.prefix + sizeof(task_state) + frame + unit - 1) / unit * unit;
    if (size > detail::largest_pooled_frame) [[unlikely]]
        return allocate_large_task(loop, kind, frame);
    void* const memory = allocate_block(size);
    const std::uint64_t id = loop.next_id++;
    if (id >> task_marks::id_bits != 0) [[unlikely]]
        return make_late_task(memory, kind, id, size / unit);
    return *new (static_cast<char*>(memory) + kind.prefix)
        task_state(kind, id, size / unit);
}

/// Room for a larger frame next time, or for a much smaller one: one type of function
/// pointer serves functions with frames of all sizes. A library built with a sanitizer
/// learns nothing: frames are then never inside, and a use after their end is seen.
void learn_frame_size(frame_size_hint& hint, std::size_t asked) noexcept;

/// While one exists, the next frame made on this thread goes into the task's block.
class open_frame_slot {
public:
    // A slot too small for any frame is opened all the same: it learns the size. A
    // callable that spawns before it returns closes the slot that it was called with;
    // its own frame is then an allocation of its own.
    open_frame_slot(task_state& task, frame_size_hint& hint) noexcept : hint_(hint) {
        detail::this_frame_slot.at = &task + 1;
        detail::this_frame_slot.size =
            std::size_t{task.marks.block_units} * detail::frame_granule -
            task.kind->prefix - sizeof(task_state);
    }

    ANYIO_ALWAYS_INLINE ~open_frame_slot() {
        auto& slot = detail::this_frame_slot;
        if (slot.asked != 0) [[unlikely]] {
            learn_frame_size(hint_, slot.asked);
            slot.asked = 0;
        }
        slot.at = nullptr;
    }

    open_frame_slot(const open_frame_slot&) = delete;
    open_frame_slot& operator=(const open_frame_slot&) = delete;

private:
    frame_size_hint& hint_;
};

/// Gives a task a name of its own; "" is one.
void name_task(task_state& task, std::string_view name);

/// A task in the making: until is_born(), it goes away with this object.
class unborn_task {
public:
    /// @throws std::bad_alloc
    unborn_task(loop_state& loop, const task_kind& kind, frame_size_hint& hint)
        : task_(allocate_task(loop, kind, hint.load(std::memory_order_relaxed))),
          hint_(hint) {}

    // Inline in the paths of exceptions too, and so is that of open_frame_slot: g++ would
    // call them there, and both objects would need a place in memory.
    ANYIO_ALWAYS_INLINE ~unborn_task() {
        if (!born_) [[unlikely]]
            discard(task_, first_, call_made_);
    }

    unborn_task(const unborn_task&) = delete;
    unborn_task& operator=(const unborn_task&) = delete;

    [[nodiscard]] task_state& task() const noexcept { return task_; }

    [[nodiscard]] frame_link& first() const noexcept { return *first_; }

    /// What task_kind::destroy destroys is there.
    void call_is_made() noexcept { call_made_ = true; }

    /// Makes the first frame, by a call that returns a task<T>.
    ///
    /// @throws usage_error  if that is empty
    template <class Call>
    void begin(Call& call) {
        const open_frame_slot slot(task_, hint_);
        first_ = call().release();
        if (!first_) [[unlikely]]
            throw_empty_task();
    }

    void is_born() noexcept { born_ = true; }

private:
    // Not of the object, which so needs no place in memory.
    [[noreturn]] static void throw_empty_task();
    static void discard(task_state& task, frame_link* first, bool call_made) noexcept;

    task_state& task_;
    frame_size_hint& hint_;
    frame_link* first_ = nullptr;
    bool call_made_ = false;
    bool born_ = false;
};

/// The first frame of a task that has not ended.
[[nodiscard]] inline frame_link& first_frame(const task_state& task) noexcept {
    if (const frame_link* elsewhere = first_frame_elsewhere(task)) [[unlikely]]
        return const_cast<frame_link&>(*elsewhere);
    auto* const behind = const_cast<task_state*>(&task) + 1;
    return *link_of(std::coroutine_handle<>::from_address(behind));
}

/// Gives the task its first frame and a place in the ready queue. The caller has set
/// `scope`, and the owner's stage to `first`; it adds the task to its group.
///
/// @throws std::bad_alloc  then nothing has happened
inline void
start_task(loop_state& loop, task_state& task, frame_link& first, frame_owner& owner) {
    // Not inside if it is too large, or if the callable returned a task that it had from
    // elsewhere, as in [] { return retry(fetch()); }.
    if (handle_of(&first).address() != &task + 1) [[unlikely]]
        remember_first_frame(task, first);
    const task_extra* const has = loop.current ? loop.current->extra() : nullptr;
    if (has && has->variables) [[unlikely]]
        inherit_context(*loop.current, task);
    first.parent = &root_link();
    first.owner = &owner;
    task.leaf = &first;
    task.wait = nullptr;
    push_ready(loop, task);
}

}  // namespace anyio::lowlevel
