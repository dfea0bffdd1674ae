// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// cancel_cause: who cancelled a scope, and why; for reports.

#include <cstdint>
#include <source_location>
#include <string>

namespace anyio::lowlevel {

/// Kept with a scope from its first cancel().
struct cancel_cause {
    std::string reason;          ///< may be empty
    std::source_location where;  ///< of the call of cancel()
    std::uint64_t task_id = 0;   ///< of the task that called; 0 if none was running
};

}  // namespace anyio::lowlevel
