// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The context variables of a task: shared with the tasks that inherited them, copied
/// when one of them sets a variable. Users: basics/context_var.hpp.

#include <anyio/base/light_std.hpp>

namespace anyio::lowlevel {

struct task_state;

/// The value that `task` has for `key`; null if none was set.
[[nodiscard]] std::shared_ptr<void>
context_value(const task_state& task, const void* key) noexcept;

/// Sets it for `task` and the tasks that it spawns from now on; null: as if never set.
///
/// @throws std::bad_alloc  then nothing has changed
void set_context_value(task_state& task, const void* key, std::shared_ptr<void> value);

/// Gives `child` what `spawner` has, if it has anything.
void inherit_context(const task_state& spawner, task_state& child);

}  // namespace anyio::lowlevel
