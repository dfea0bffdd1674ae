// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// print_task_tree: who waits where, inside which groups. Manual: docs/manual/debugging.md

#include <iosfwd>
#include <string>

namespace anyio {

/// All tasks of the running loop as a tree: for each its name, what it waits for, and the
/// chain of calls with source lines; for each group its scope. A snapshot; the running
/// task's own chain is not shown.
///
/// @throws no_event_loop_error  if no loop runs in this thread
/// @threads     loop
/// @complexity  linear in tasks, frames and scopes
[[nodiscard]] std::string format_task_tree();

/// Writes format_task_tree() to `out`.
void print_task_tree(std::ostream& out);

}  // namespace anyio
