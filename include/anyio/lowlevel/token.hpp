// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// event_loop_token: reach a loop from another thread.

#include <anyio/base/light_std.hpp>
#include <anyio/base/unique_function.hpp>

#include <compare>

namespace anyio::lowlevel {

class inbox;

/// A loop as other threads know it. Copies are cheap, compare equal, and may outlive the
/// loop. While one exists outside the loop, a run with only blocked tasks is no
/// deadlock: somebody may still post.
///
/// @anyio  anyio.lowlevel.EventLoopToken
class event_loop_token {
public:
    event_loop_token() noexcept = default;

    /// Runs `function` on the loop's thread, outside any task, in the order of the
    /// posts. It must not throw, nor take long. What the run itself posts while it ends,
    /// such as a last function or the destructor of a variable, is destroyed without
    /// being called; so is what the destructor of a refused function posts.
    ///
    /// @throws run_finished_error  if the run has ended; `function` is destroyed here
    /// @throws usage_error         if this token or `function` is empty
    /// @threads  any; not from a signal handler
    /// @anyio    trio.lowlevel.TrioToken.run_sync_soon
    void run_sync_soon(unique_function<void()> function) const;

    [[nodiscard]] explicit operator bool() const noexcept { return inbox_ != nullptr; }

    friend bool operator==(const event_loop_token&, const event_loop_token&) = default;

private:
    friend class scheduler;

    explicit event_loop_token(std::shared_ptr<inbox> box) noexcept
        : inbox_(std::move(box)) {}

    std::shared_ptr<inbox> inbox_;
};

/// The token of the running loop.
///
/// @throws no_event_loop_error  if no loop runs in this thread
/// @threads  loop
/// @anyio    anyio.lowlevel.current_token
[[nodiscard]] event_loop_token current_token();

}  // namespace anyio::lowlevel
