// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// cancel_reason: why a scope, or the current task, has been cancelled.
/// Manual: docs/manual/cancellation.md#why

#include <cstdint>
#include <optional>
#include <source_location>
#include <string>

namespace anyio {

namespace lowlevel {

class cancel_status;

}  // namespace lowlevel

/// Why something was cancelled. Where a task of a group failed, `text` names it and its
/// error.
struct cancel_reason {
    bool by_deadline = false;  ///< a deadline has passed; else cancel() was called
    std::string text;          ///< as given to cancel(); may be empty
    /// Of the call of cancel(); of the innermost await of a task that failed. Line 0 if
    /// that is not known.
    std::source_location where;
    /// The id of the task that called cancel(), or failed; 0: none, or a deadline.
    std::uint64_t task_id = 0;

    /// In a sentence: "cancelled by task 7 at main.cpp:12: shutting down".
    [[nodiscard]] std::string str() const;
};

/// Why the current task is cancelled, for those who run while it unwinds: destructors,
/// `on_cancel` handlers, `aexit`. Of several cancelled scopes around it, the innermost
/// counts. Empty if it is not cancelled, or no task is running.
///
/// @throws std::bad_alloc
/// @threads  any
[[nodiscard]] std::optional<cancel_reason> current_cancel_reason();

namespace detail {

/// Of the scope itself; empty if it was not cancelled.
[[nodiscard]] std::optional<cancel_reason>
reason_of(const lowlevel::cancel_status& scope);

}  // namespace detail

}  // namespace anyio
