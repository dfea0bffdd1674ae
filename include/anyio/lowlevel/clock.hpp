// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// clock: where a loop takes its time from; testing/virtual_clock.hpp replaces it.

#include <anyio/base/time.hpp>

namespace anyio::lowlevel {

/// A source of time for one run. Give it to run() by run_options::clock.
///
/// @threads  loop
class clock {
public:
    clock() = default;
    virtual ~clock() = default;

    clock(const clock&) = delete;
    clock& operator=(const clock&) = delete;

    [[nodiscard]] virtual time_point now() noexcept = 0;

    /// Called when every task is blocked and nothing of the operating system can wake
    /// one before `next`, the earliest deadline. A clock that is virtual moves on and
    /// returns true; a real one returns false, and the loop waits.
    [[nodiscard]] virtual bool jump(time_point next) noexcept {
        (void)next;
        return false;
    }
};

/// CLOCK_MONOTONIC; what run() uses by itself.
class system_clock final : public clock {
public:
    [[nodiscard]] time_point now() noexcept override;
};

}  // namespace anyio::lowlevel
