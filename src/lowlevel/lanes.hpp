// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// lanes, batch_meter: who runs next and when the loop looks outside, if time is real.
/// docs/design/0010 tells what was tried.

#include <anyio/lowlevel/loop_state.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace anyio::lowlevel {

/// A queue of ready tasks, and the processor ticks that they have had.
struct lane {
    ready_node* first = nullptr;
    ready_node* last = nullptr;  // if there is a first
    std::uint64_t used = 0;

    /// Takes over a chain of tasks that end with `newest`.
    void append(ready_node& oldest, ready_node& newest) noexcept {
        (first ? last->next_ready : first) = &oldest;
        last = &newest;
        newest.next_ready = nullptr;
    }

    /// Null if there is none.
    [[nodiscard]] task_state* pop() noexcept {
        auto* const oldest = static_cast<task_state*>(first);
        if (oldest)
            first = oldest->next_ready;
        return oldest;
    }
};

/// Ready tasks by who woke them. Each lane is first come, first served; those in which
/// somebody waits share the time equally. So whatever comes from outside overtakes a
/// crowd that only yields, and can never keep it from running.
struct lanes {
    lane due;       ///< their deadline has passed
    lane arrived;   ///< woken by the operating system or by another thread
    lane ordinary;  ///< all others; they stand in loop_state::ready
    std::uint64_t charged_until = 0;

    /// The lane with the oldest claim; null if nobody is ready.
    [[nodiscard]] lane* next(bool any_ordinary) noexcept {
        lane* best = due.first ? &due : nullptr;
        if (arrived.first && (!best || arrived.used < best->used))
            best = &arrived;
        if (any_ordinary && (!best || ordinary.used < best->used))
            best = &ordinary;
        return best;
    }

    /// `turn` has had the time until now. Claims grow old, or a lane that was empty for an hour
    /// could keep the others waiting for as long.
    void charge(lane& turn, std::uint64_t now) noexcept {
        constexpr std::uint64_t oldest_claim = 16 * noticeable_ticks;
        turn.used += now - std::exchange(charged_until, now);
        for (lane* other : {&due, &arrived, &ordinary})
            if (other->used + oldest_claim < turn.used)
                other->used = turn.used - oldest_claim;
    }
};

/// Tells how many steps may share one reading of the clock, which costs more than a short
/// step: one after a long step or a sleep, more and more while they are short.
class batch_meter {
public:
    /// Longer batches are cut to single steps; half as much between two looks outside is
    /// soon enough for any peer.
    static constexpr std::uint64_t long_ticks = noticeable_ticks / 8;
    /// If somebody outside may be waiting: a batch is measured when it is over, so this is
    /// how many steps may turn out long at once.
    static constexpr int most_steps_watched = 16;
    static constexpr int most_steps = 128;

    /// How many steps, and operations that are ready, the next batch has.
    [[nodiscard]] int size() const noexcept { return size_; }

    /// After a wait: nothing is known of what runs next.
    void restart(std::uint64_t now) noexcept {
        size_ = 1;
        quiet_ = 0;
        skip(now);
    }

    /// A batch has ended, and was short; the next begins. False: see end().
    [[nodiscard]] ANYIO_ALWAYS_INLINE bool goes_on(std::uint64_t now) noexcept {
        if (now - began_ >= short_ticks)
            return false;
        began_ = now;
        was_short();
        return true;
    }

    /// A batch has ended, of whatever length.
    void end(std::uint64_t now) noexcept {
        if (goes_on(now))
            return;
        quiet_ = 0;
        if (now - std::exchange(began_, now) > long_ticks)
            size_ = 1;
    }

    /// What came in between belongs to no batch.
    void skip(std::uint64_t now) noexcept { began_ = now; }

    /// For a step that wants to go on beyond its batch: the first question.
    void begin_extensions() noexcept {
        extension_ = size_;
        read_at_ = began_;
    }

    /// @returns  how many operations more it may complete; 0 if it has taken long
    [[nodiscard]] int extend(std::uint64_t now) noexcept {
        if (now - began_ > long_ticks)
            return 0;
        if (now - std::exchange(read_at_, now) < short_ticks) {
            was_short();
            if (extension_ < most_steps)
                extension_ *= 2;
        }
        return extension_;
    }

    void set_longest(int steps) noexcept {
        longest_ = steps;
        size_ = std::min(size_, longest_);
    }

private:
    ANYIO_ALWAYS_INLINE void was_short() noexcept {
        if (size_ < longest_ && ++quiet_ >= quiet_batches) [[unlikely]] {
            size_ *= 2;
            quiet_ = 0;
        }
    }

    static constexpr std::uint64_t short_ticks = long_ticks / 4;
    /// How many short batches it takes until one may be twice as large: a few short steps
    /// between long ones must not be taken for a promise.
    static constexpr int quiet_batches = 32;

    int size_ = 1;
    int quiet_ = 0;
    int longest_ = most_steps;
    int extension_ = 1;
    std::uint64_t began_ = 0;
    std::uint64_t read_at_ = 0;
};

/// When the loop has to look outside.
class look_meter {
public:
    /// Nobody has run in vain for this long.
    static constexpr std::uint64_t soon_ticks = noticeable_ticks / 8;

    /// @param woken  how many tasks it has found
    void looked(std::uint64_t now, std::uint64_t step, std::uint64_t woken) noexcept {
        at_ = now;
        // They are served first, as a look costs a part of what one of them does.
        next_step_ = step + woken;
    }

    /// Whether it is too early for is_due().
    [[nodiscard]] ANYIO_ALWAYS_INLINE bool
    has_just_looked(std::uint64_t now) const noexcept {
        return now - at_ < soon_ticks;
    }

    [[nodiscard]] bool is_due(std::uint64_t now, std::uint64_t step) const noexcept {
        const std::uint64_t passed = now - at_;
        return passed >= noticeable_ticks ||
               (passed >= soon_ticks && step >= next_step_);
    }

private:
    std::uint64_t at_ = 0;
    std::uint64_t next_step_ = 0;
};

}  // namespace anyio::lowlevel
