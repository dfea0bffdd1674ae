// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/spawn.hpp>

#include <anyio/base/errors.hpp>
#include <anyio/lowlevel/possession.hpp>
#include <anyio/lowlevel/task_extra.hpp>

#include <memory>
#include <utility>

namespace anyio::lowlevel {

void release_task_extras(task_state& task) noexcept {
    task.leaf = nullptr;            // destructors may ask for the running task
    possession::abandon_all(task);  // what the destructor of an argument has taken
    if (task.kind->forget)
        task.kind->forget(task);
    task_extra::destroy(task);
}

void release_after_frame(task_state& task) noexcept {
    release_task_block(task);
}

task_state&
allocate_large_task(loop_state& loop, const task_kind& kind, std::size_t frame) {
    constexpr std::size_t unit = detail::frame_granule;
    const auto units = [&](std::size_t behind) {
        return (kind.prefix + sizeof(task_state) + behind + unit - 1) / unit;
    };
    std::size_t size = units(frame);
    if (size > task_marks::most_units)
        size = units(0);  // the frame finds memory elsewhere; the rest has to be here
    if (size > task_marks::most_units)
        throw std::bad_alloc();
    return make_late_task(allocate_block(size * unit), kind, loop.next_id++, size);
}

task_state& make_late_task(
    void* memory, const task_kind& kind, std::uint64_t id, std::size_t units
) {
    constexpr std::uint64_t in_marks = (std::uint64_t{1} << task_marks::id_bits) - 1;
    auto* const task = new (static_cast<char*>(memory) + kind.prefix)
        task_state(kind, id & in_marks, units);
    if (id > in_marks) {
        try {
            task_extra::of(*task).id_above = id & ~in_marks;
        } catch (...) {
            free_block(memory, units * detail::frame_granule);
            throw;
        }
    }
    return *task;
}

void learn_frame_size(frame_size_hint& hint, std::size_t asked) noexcept {
    constexpr std::size_t largest = 65536;  // larger ones are worth an allocation
    if (!ANYIO_SANITIZED && asked != 0 && asked < largest)
        hint.store(static_cast<std::uint32_t>(asked), std::memory_order_relaxed);
}

const frame_link* first_frame_in_extra(const task_state& task) noexcept {
    const task_extra* const extra = task.extra();
    return extra ? extra->first_frame : nullptr;
}

void remember_first_frame(task_state& task, frame_link& first) {
    task_extra::of(task).first_frame = &first;
}

void name_task(task_state& task, std::string_view name) {
    task_extra::of(task).name.emplace(name);
}

void unborn_task::throw_empty_task() {
    throw usage_error(
        "start a task: the function returned a task that has been awaited or given away "
        "already, or was moved from; call its function again for a new one"
    );
}

void unborn_task::discard(
    task_state& task, frame_link* first, bool call_made
) noexcept {
    if (first)
        handle_of(first).destroy();
    if (call_made && task.kind->destroy)
        task.kind->destroy(task);
    task.set(task_finished);
    if (!task.has(task_frame_inside))
        release_task_block(task);
}

}  // namespace anyio::lowlevel
