// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/task_extra.hpp>

#include <anyio/lowlevel/possession.hpp>

#include <cstdint>
#include <utility>

namespace anyio::lowlevel {

std::uint64_t task_state::id_beyond_marks() const noexcept {
    const task_extra* const more = extra();
    return more ? more->id_above : 0;
}

task_extra&
task_extra::give(task_state& task, std::unique_ptr<task_extra> made) noexcept {
    possession::move_list(task.rare, made->possessions);
    task_extra* const extra = made.release();
    task.rare =
        reinterpret_cast<possession*>(reinterpret_cast<std::uintptr_t>(extra) | 1);
    return *extra;
}

task_extra& task_extra::of(task_state& task) {
    task_extra* const extra = task.extra();
    return extra ? *extra : give(task, std::make_unique<task_extra>());
}

void task_extra::destroy(task_state& task) noexcept {
    task_extra* const extra = task.extra();
    if (!extra)
        return;
    // Values may ask for variables, and set some, when they go.
    while (context* const before = std::exchange(extra->variables, nullptr))
        release(before);
    delete extra;
}

}  // namespace anyio::lowlevel
