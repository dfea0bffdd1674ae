// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// timer and deadline_queue: what shall happen when. Arming and disarming touch one
/// cache line in the usual case, and allocate only while the queue grows.

#include <anyio/base/time.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace anyio::lowlevel {

/// What a deadline does when it comes; a byte instead of a function pointer, since a
/// sleeping task should be small.
enum class timer_kind : std::uint8_t { sleep, scope, call };

/// One entry of a deadline_queue. The owner disarms it before it goes.
struct timer {
    explicit timer(timer_kind k) noexcept : kind(k) {}

    timer(const timer&) = delete;  // the queue holds its address
    timer& operator=(const timer&) = delete;

    [[nodiscard]] bool armed() const noexcept { return position != idle; }

    static constexpr std::uint32_t idle = ~std::uint32_t{0};
    std::uint32_t position = idle;  ///< index in the queue's heap
    timer_kind kind;
};

/// A timer that calls a function; for those who build backends and clocks.
struct call_timer : timer {
    explicit call_timer(void (*f)(call_timer&) noexcept) noexcept
        : timer(timer_kind::call), function(f) {}

    void (*function)(call_timer&) noexcept;
};

/// Timers in order of their deadlines: a four-ary heap with the keys inline, so that
/// most comparisons stay within one cache line. Equal deadlines fire in no set order.
///
/// @threads  loop
class deadline_queue {
public:
    /// How many timers find room after a make_room().
    static constexpr std::size_t promised = 64;

    /// Sees to it that the next `promised` timers find room. Who arms late, where nothing
    /// may be thrown, has called this before, and not let more come in between.
    ///
    /// @throws std::bad_alloc
    void make_room() {
        if (heap_.capacity() - heap_.size() < promised) [[unlikely]]
            grow();
    }

    /// @throws std::bad_alloc  if the heap cannot grow; then nothing has changed
    void arm(timer& entry, time_point deadline) {
        if (heap_.size() == heap_.capacity())
            grow();
        heap_.push_back({deadline, &entry});
        sift_up(static_cast<std::uint32_t>(heap_.size() - 1));
    }

    /// Does nothing if it is not armed.
    void disarm(timer& entry) noexcept {
        if (entry.armed())
            remove(entry.position);
    }

    /// Changes the deadline of an armed timer. O(log n).
    void move(timer& entry, time_point deadline) noexcept;

    /// The deadline of an armed timer.
    [[nodiscard]] time_point deadline(const timer& entry) const noexcept {
        return heap_[entry.position].deadline;
    }

    /// `never` if there is no timer.
    [[nodiscard]] time_point earliest() const noexcept {
        return heap_.empty() ? never : heap_.front().deadline;
    }

    /// Takes out the earliest timer if its deadline is not after `now`; else null.
    [[nodiscard]] timer* pop_expired(time_point now) noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

    [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }

private:
    struct slot {
        time_point deadline;
        timer* entry;
    };

    void grow();
    void remove(std::uint32_t at) noexcept;
    void sift_down(std::uint32_t at) noexcept;

    void sift_up(std::uint32_t at) noexcept {
        const slot moving = heap_[at];
        while (at != 0) {
            const std::uint32_t above = (at - 1) / 4;
            if (heap_[above].deadline <= moving.deadline)
                break;
            place(at, heap_[above]);
            at = above;
        }
        place(at, moving);
    }

    void place(std::uint32_t at, const slot& value) noexcept {
        heap_[at] = value;
        value.entry->position = at;
    }

    std::vector<slot> heap_;
};

}  // namespace anyio::lowlevel
