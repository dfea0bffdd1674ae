// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// event: a flag that is set once. Manual: docs/manual/synchronization.md#events

#include <anyio/lowlevel/parking_lot.hpp>

#include <cstddef>

namespace anyio {

/// What an event looks like at one moment; for tests and debugging.
struct event_statistics {
    std::size_t tasks_waiting = 0;  ///< tasks suspended in event::wait()

    friend bool operator==(const event_statistics&, const event_statistics&) = default;
};

/// A flag that starts unset, is set once, and stays set.
///
/// Any number of tasks may wait for it. An event cannot be reset; replace it with a
/// new one. That rules out the race in which a waiter misses a set and a reset.
/// An event may be made before a loop runs, and outlive it.
///
/// @threads  loop. From other threads: from_thread::run_sync
/// @anyio    anyio.Event
/// @example  docs/snippets/synchronization/event.cpp
class event {
public:
    event() noexcept = default;

    event(const event&) = delete;  // waiting tasks hold its address
    event& operator=(const event&) = delete;

    /// Sets the flag and makes every waiting task runnable, oldest first.
    ///
    /// Does nothing if the flag is set. No task runs before this returns.
    ///
    /// @checkpoint    never
    /// @cancellation  none
    void set() noexcept {
        set_ = true;
        waiters_.unpark_all();
    }

    /// Waits until the flag is set. If it is set already, only looks for cancellation.
    ///
    /// @checkpoint    always
    /// @cancellation  atomic
    /// @allocates     nothing
    [[nodiscard]] lowlevel::park_operation wait() noexcept {
        return {waiters_, wait_kind_, set_};
    }

    [[nodiscard]] bool is_set() const noexcept { return set_; }

    [[nodiscard]] event_statistics statistics() const noexcept {
        return {waiters_.size()};
    }

private:
    static constexpr lowlevel::wait_kind wait_kind_ =
        lowlevel::park_operation::kind_named("event::wait");

    lowlevel::parking_lot waiters_;  // empty once set_ is true
    bool set_ = false;
};

}  // namespace anyio
