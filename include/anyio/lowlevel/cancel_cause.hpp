// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// cancel_cause: who cancelled a scope, and why; for reports.

#include <cstdint>
#include <source_location>
#include <string>

namespace anyio::lowlevel {

/// Kept with a scope from its first cancel(), and with the handles of tasks that it ended.
///
/// @threads  loop
struct cancel_cause {
    std::string reason;          ///< may be empty
    std::source_location where;  ///< of the call of cancel()
    std::uint64_t task_id = 0;   ///< of the task that called; 0 if none was running
    mutable std::uint32_t holders = 1;

    /// One more holder; null stays null.
    [[nodiscard]] static const cancel_cause* share(const cancel_cause* cause) noexcept {
        if (cause)
            ++cause->holders;
        return cause;
    }

    static void release(const cancel_cause* cause) noexcept {
        if (cause && --cause->holders == 0)
            delete cause;
    }
};

/// As the end of a sentence: ", by task 7 at main.cpp:12: reason"; ", its deadline has
/// passed"; "" if nothing is known.
[[nodiscard]] std::string why(const cancel_cause* cause, bool by_deadline);

}  // namespace anyio::lowlevel
