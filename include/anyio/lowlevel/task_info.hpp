// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// task_info, get_current_task, get_running_tasks.
/// Manual: docs/manual/testing.md#introspection

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace anyio {

namespace lowlevel {
struct task_state;
struct loop_state;
}  // namespace lowlevel

/// What a task looked like when it was asked for. Equal if it is the same task.
///
/// @anyio  anyio.TaskInfo
class task_info {
public:
    /// Unique among the tasks of one run.
    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }

    /// The task that waits for this one; 0 for the main task.
    [[nodiscard]] std::uint64_t parent_id() const noexcept { return parent_id_; }

    /// As given, or the name of the task's first function.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    /// Whether the task's next checkpoint would unwind it. False if it has ended.
    ///
    /// @throws no_event_loop_error  outside the task's loop
    [[nodiscard]] bool has_pending_cancellation() const;

    friend bool operator==(const task_info& a, const task_info& b) noexcept {
        return a.id_ == b.id_;
    }

private:
    friend struct task_info_access;

    std::uint64_t id_ = 0;
    std::uint64_t parent_id_ = 0;
    std::string name_;
};

/// The running task.
///
/// @throws no_event_loop_error  outside a task
/// @threads  loop
/// @anyio    anyio.get_current_task
[[nodiscard]] task_info get_current_task();

/// All tasks of the running loop, parents before children, oldest first.
///
/// @throws no_event_loop_error  if no loop runs in this thread
/// @threads     loop
/// @complexity  linear in tasks and scopes
/// @anyio       anyio.get_running_tasks
[[nodiscard]] std::vector<task_info> get_running_tasks();

}  // namespace anyio

/// For sets and maps of tasks.
template <>
struct std::hash<anyio::task_info> {
    std::size_t operator()(const anyio::task_info& task) const noexcept {
        return std::hash<std::uint64_t>()(task.id());
    }
};
