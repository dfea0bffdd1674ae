// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// task_extra: what few tasks need, kept out of the record of all.

#include <anyio/base/light_std.hpp>
#include <anyio/lowlevel/task_state.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace anyio::lowlevel {

/// One set of context variables, shared by the tasks that inherited it unchanged.
/// Its type is private to context.cpp.
struct context;

/// What few tasks have; made when it is first needed.
struct task_extra {
    possession* possessions = nullptr;  ///< newest first
    std::optional<std::string> name;    ///< as given; "" is a name
    frame_link* first_frame = nullptr;  ///< if that is not inside the task's block
    context* variables = nullptr;
    /// The task that is waiting in start() for this one; 0: none.
    std::uint64_t starter_id = 0;
    std::uint64_t id_above = 0;  ///< the bits of the id that task_marks has no room for

    /// The extra of `task`, made if it has none.
    [[nodiscard]] static task_extra& of(task_state& task);
    /// Makes it that of `task`, which has none.
    static task_extra&
    give(task_state& task, std::unique_ptr<task_extra> made) noexcept;
    /// Nothing if the task has none.
    static void destroy(task_state& task) noexcept;
};

void retain(context* variables) noexcept;
void release(context* variables) noexcept;

}  // namespace anyio::lowlevel
