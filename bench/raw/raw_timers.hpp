// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// raw_timers: deadlines of the raw runtime: a four-ary heap with the keys inside.

#include "raw_loop.hpp"
#include "raw_wait.hpp"

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <vector>

namespace raw {

/// Nanoseconds of the monotonic clock, read from the system each time.
inline std::int64_t now() noexcept {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

/// The earliest deadline first. Four children, since four entries are one cache line.
///
/// An `Owner` with a member `place` is told where its entry stands, and can be removed; one
/// without is spared the write, which would touch a cold frame for every move.
template <class Owner>
class timer_heap {
public:
    struct entry {
        std::int64_t when;
        Owner* owner;
    };

    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

    [[nodiscard]] const entry& earliest() const noexcept { return entries_.front(); }

    void push(std::int64_t when, Owner& owner) {
        entries_.push_back({when, &owner});
        rise(entries_.size() - 1, {when, &owner});
    }

    void remove(std::size_t place) noexcept {
        const entry last = entries_.back();
        entries_.pop_back();
        if (place == entries_.size()) {
            return;
        }
        if (place > 0 && last.when < entries_[parent_of(place)].when) {
            rise(place, last);
        } else {
            sink(place, last);
        }
    }

private:
    static std::size_t parent_of(std::size_t place) noexcept { return (place - 1) / 4; }

    [[nodiscard]] std::size_t
    lesser(std::size_t one, std::size_t other) const noexcept {
        return entries_[other].when < entries_[one].when ? other : one;
    }

    void put(std::size_t place, entry value) noexcept {
        entries_[place] = value;
        if constexpr (requires { value.owner->place; }) {
            value.owner->place = place;
        }
    }

    void rise(std::size_t place, entry value) noexcept {
        while (place > 0 && value.when < entries_[parent_of(place)].when) {
            put(place, entries_[parent_of(place)]);
            place = parent_of(place);
        }
        put(place, value);
    }

    void sink(std::size_t place, entry value) noexcept {
        const std::size_t size = entries_.size();
        for (;;) {
            const std::size_t first = place * 4 + 1;
            if (first >= size) {
                break;
            }
            std::size_t least = first;
            for (std::size_t i = first + 1; i < first + 4 && i < size; ++i) {
                least = entries_[i].when < entries_[least].when ? i : least;
            }
            if (value.when <= entries_[least].when) {
                break;
            }
            put(place, entries_[least]);
            place = least;
        }
        put(place, value);
    }

    std::vector<entry> entries_;
};

/// Sleeping coroutines; they cannot be woken early.
using sleepers = timer_heap<promise_base>;

/// `co_await sleep{sleepers, nanoseconds}`.
struct sleep : wait_base<sleep> {
    sleep(sleepers& among, std::int64_t nanoseconds) noexcept
        : among_(&among), nanoseconds_(nanoseconds) {}

    void enqueue(promise_base& waiter) { among_->push(now() + nanoseconds_, waiter); }

private:
    sleepers* among_;
    std::int64_t nanoseconds_;
};

/// Run what is ready and due, and wait in the kernel in between, until nothing is left.
inline void run_sleepers(sleepers& asleep) {
    for (run_ready(); !asleep.empty(); run_ready()) {
        const std::int64_t time = now();
        const std::int64_t next = asleep.earliest().when;
        if (next > time) {
            const timespec until{next / 1'000'000'000, next % 1'000'000'000};
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
            continue;
        }
        while (!asleep.empty() && asleep.earliest().when <= time) {
            ready.push(*asleep.earliest().owner);
            asleep.remove(0);
        }
    }
}

/// A deadline around a block: armed by construction, disarmed by destruction.
class deadline {
public:
    std::size_t place = 0;  // in the heap

    deadline(timer_heap<deadline>& among, std::int64_t nanoseconds) : among_(&among) {
        among.push(now() + nanoseconds, *this);
    }

    ~deadline() { among_->remove(place); }

    deadline(const deadline&) = delete;  // the heap holds its address
    deadline& operator=(const deadline&) = delete;

private:
    timer_heap<deadline>* among_;
};

}  // namespace raw
