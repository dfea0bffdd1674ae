// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The tree of a loop's tasks: walked through the scopes, since every group has one.

#include <anyio/lowlevel/loop_state.hpp>
#include <anyio/lowlevel/task_info.hpp>

#include <string>
#include <vector>

namespace anyio::lowlevel {

/// As given, or after the task's first function; "task 7" before that has begun. Of a task
/// that is ending, too, while the destructors of what it was called with run.
[[nodiscard]] std::string task_name(const task_state& task);

/// The same for a task whose first frame, with this site, may have gone.
[[nodiscard]] std::string
task_name(const task_state& task, const std::source_location& site);

/// What get_running_tasks() tells of it.
[[nodiscard]] task_info info_of(const task_state& task);

/// Every task of the loop, parents before children, oldest first.
[[nodiscard]] std::vector<task_state*> all_tasks(loop_state& loop);

/// Where a frame awaits: "at fetch (client.cpp:31)".
[[nodiscard]] std::string place_of(const frame_link& frame);

/// What a suspended task waits for, and where: "sleep, 4.2 s to go, at fetch (a.cpp:7)".
/// Of one that waits for its children, what the oldest of them waits for.
[[nodiscard]] std::string describe_wait(const task_state& task);

/// The tree as text: for each task its wait and its call chain with source lines.
[[nodiscard]] std::string report_tasks(loop_state& loop);

/// Of a loop in which no task is ready: whether this one is nevertheless said to be. It
/// was resumed, and has neither ended nor begun to wait: nobody will ever resume it.
[[nodiscard]] bool is_lost(const task_state& task) noexcept;

/// The tree of a loop in which no task is ready.
[[nodiscard]] std::string report_blocked_tasks(loop_state& loop);

}  // namespace anyio::lowlevel
