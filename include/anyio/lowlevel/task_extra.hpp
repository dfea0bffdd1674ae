// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// task_extra: what few tasks need, kept out of the record of all.

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
    std::optional<std::string> name;    ///< as given; "" is a name
    frame_link* first_frame = nullptr;  ///< if that is not inside the task's block
    context* variables = nullptr;
    /// The task that is waiting in start() for this one; 0: none.
    std::uint64_t starter_id = 0;

    /// The extra of `task`, made if it has none.
    [[nodiscard]] static task_extra& of(task_state& task);
    /// `extra` may be null.
    static void destroy(task_extra* extra) noexcept;
};

void retain(context* variables) noexcept;
void release(context* variables) noexcept;

}  // namespace anyio::lowlevel
