// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// virtual_clock: time that passes only when every task is blocked.
/// Manual: docs/manual/testing.md#virtual-time

#include <anyio/lowlevel/clock.hpp>

namespace anyio::testing {

/// A clock that starts at zero and jumps to the next deadline as soon as every task is
/// blocked: an hour-long timeout takes no time at all, and always the same.
///
/// ```
/// virtual_clock clock;
/// run({.clock = &clock}, main_task);
/// ```
///
/// Whatever is under way outside the program (sockets, other threads) is given some real
/// time before the clock jumps over it, so tests of timeouts on sockets work, but other
/// processes may seem late. It must outlive the run.
///
/// @threads  loop
/// @anyio    trio.testing.MockClock(autojump_threshold=0)
class virtual_clock final : public lowlevel::clock {
public:
    [[nodiscard]] time_point now() noexcept override { return now_; }

    [[nodiscard]] bool jump(time_point next) noexcept override;

    /// Moves on without waiting for anything; deadlines that pass fire at the next pass.
    ///
    /// @throws usage_error  if `by` is negative: time does not go back
    void advance(delay by);

    /// With automatic jumps off, only advance() moves the time, and a loop in which every
    /// task is blocked waits for other threads to do so.
    void set_autojump(bool on) noexcept { autojump_ = on; }

private:
    time_point now_{};
    bool autojump_ = true;
};

}  // namespace anyio::testing
