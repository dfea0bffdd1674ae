// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/spawn.hpp>

#include <anyio/lowlevel/task_extra.hpp>

namespace anyio::lowlevel {

void release_task_extras(task_state& task) noexcept {
    if (task.kind->forget)
        task.kind->forget(task);
    task_extra::destroy(task.extra);
}

void release_after_frame(task_state& task) noexcept {
    release_task_block(task);
}

void learn_frame_size(frame_size_hint& hint, std::size_t asked) noexcept {
    constexpr std::size_t largest = 65536;  // larger ones are worth an allocation
    if (!ANYIO_SANITIZED && asked != 0 && asked < largest)
        hint.store(static_cast<std::uint32_t>(asked), std::memory_order_relaxed);
}

const frame_link* first_frame_in_extra(const task_state& task) noexcept {
    return task.extra->first_frame;
}

void remember_first_frame(task_state& task, frame_link& first) {
    task_extra::of(task).first_frame = &first;
}

void name_task(task_state& task, std::string_view name) {
    task_extra::of(task).name.emplace(name);
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
