// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// parking_lot: a fair queue of suspended tasks, with cancellation. Every primitive of
/// synchronization is built on it.

#include <anyio/lowlevel/operation.hpp>

#include <cstddef>
#include <limits>
#include <type_traits>
#include <utility>

namespace anyio::lowlevel {

class parking_lot;

/// Waits in a parking_lot. Operations that need more derive from parked_operation.
class parked_wait : public wait_record {
protected:
    parked_wait(parking_lot& lot, const wait_kind& k) noexcept : lot_(&lot) {
        kind = &k;
    }

    /// For operations that set `kind` when they wait, and call enqueue(lot).
    parked_wait() noexcept {}

    /// @param lot  null: it will not wait
    parked_wait(parking_lot* lot, const wait_kind& k) noexcept : lot_(lot) {
        kind = &k;
    }

    ~parked_wait() = default;

    void enqueue() noexcept;

    void enqueue(parking_lot& lot) noexcept;

    /// Where it waits, or would; it changes with repark().
    [[nodiscard]] parking_lot& lot() const noexcept { return *lot_; }

    [[nodiscard]] bool has_lot() const noexcept { return lot_ != nullptr; }

    /// For the wait_kinds of derived operations.
    static abort_result leave_lot(wait_record& record) noexcept;

private:
    friend parking_lot;

    parking_lot* lot_;
    parked_wait* next_;  // set by enqueue()
    parked_wait* prev_;  // the same, except in the first of a lot
};

/// Waits until it is unparked; or not at all, if it was made `ready`.
class [[nodiscard]] park_operation final : public leaf_base, public parked_wait {
public:
    park_operation(parking_lot& lot, const wait_kind& k, bool ready) noexcept
        : parked_wait(ready ? nullptr : &lot, k) {}

    [[nodiscard]] bool await_ready() const noexcept {
        if (has_lot())
            return false;
        loop_state& loop = *this_loop;
        return !cancelled(*loop.current) && spend_budget(loop);
    }

    void await_suspend(awaiting_frame handle) noexcept {
        loop_state& loop = *this_loop;
        task_state& waiting = *loop.current;
        if (!has_lot() || must_look(waiting)) [[unlikely]]
            return suspend_slowly(loop, link_of(handle));
        task = &waiting;
        waiting.leaf = link_of(handle);
        waiting.wait = this;
        enqueue();
    }

    void await_resume() const noexcept {}

    /// A wait_kind for waiting in a lot, under a name of your own.
    static constexpr wait_kind kind_named(const char* name) noexcept {
        return {&leave_lot, name, nullptr};
    }

private:
    void suspend_slowly(loop_state& loop, frame_link* leaf) noexcept;
};

/// An operation that completes at once or waits in a lot: the base of most primitives.
///
/// `Derived` provides
/// - `bool try_complete()`: do it now if that needs no waiting; may throw. False: the
///   task parks;
/// - `await_resume()`: for both ways; whoever unparked the task has done the operation for
///   it;
/// - if it likes, `bool never_yields() const`: whether completing at once is free, or uses
///   up the budget of the task's step, as usual.
///
/// @tparam Wait  what stands in the lot; derives from parked_wait
template <class Derived, class Wait = parked_wait>
class parked_operation : public leaf_base, public Wait {
public:
    [[nodiscard]] bool await_ready() {
        loop_state& loop = *this_loop;
        auto& self = static_cast<Derived&>(*this);
        if (cancelled(*loop.current)) [[unlikely]]
            return false;
        if (!self.try_complete())
            return false;
        return self.never_yields() || spend_budget(loop);
    }

    void await_suspend(awaiting_frame handle) noexcept {
        loop_state& loop = *this_loop;
        frame_link* const leaf = link_of(handle);
        if (cancelled(*loop.current)) [[unlikely]]
            return unwind_now(loop, leaf);
        if (loop.budget < 0) [[unlikely]]
            return budget_spent(loop, leaf);
        park(loop, leaf, *this);
        this->enqueue();
    }

    [[nodiscard]] static constexpr bool never_yields() noexcept { return false; }

protected:
    using Wait::Wait;
    ~parked_operation() = default;
};

/// What a parking lot looks like at one moment.
struct parking_lot_statistics {
    std::size_t tasks_waiting = 0;

    friend bool
    operator==(const parking_lot_statistics&, const parking_lot_statistics&) = default;
};

/// Tasks that wait, first come, first served.
///
/// It knows nothing of why they wait: whoever unparks them has made sure that what they
/// wait for is there. A task that is cancelled leaves the lot at once, so unpark() never
/// wakes it in vain. Made anywhere, at any time; never allocates.
///
/// Destroying a lot in which tasks wait ends the program: they would wait for ever.
///
/// @threads  loop
/// @anyio    trio.lowlevel.ParkingLot
class parking_lot {
public:
    static constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

    constexpr parking_lot() noexcept {
        if (std::is_constant_evaluated())
            last_ = nullptr;  // a constant has no member without a value
    }

    ~parking_lot() {
        if (first_) [[unlikely]]
            destroyed_with_waiters();
    }

    parking_lot(const parking_lot&) = delete;  // waiting tasks hold its address
    parking_lot& operator=(const parking_lot&) = delete;

    /// Waits until unparked.
    ///
    /// @checkpoint    always
    /// @cancellation  atomic: the task has left the lot
    /// @allocates     nothing
    [[nodiscard]] park_operation park() noexcept { return {*this, park_kind_, false}; }

    /// Wakes the first `count` tasks, oldest first; they run after the caller suspends.
    ///
    /// @returns  how many there were
    std::size_t unpark(std::size_t count = 1) noexcept {
        std::size_t woken = 0;
        for (; first_ && woken < count; ++woken)
            unpark_first();
        return woken;
    }

    /// Wakes all tasks, oldest first.
    void unpark_all() noexcept {
        parked_wait* waiting = std::exchange(first_, nullptr);
        while (waiting) {
            parked_wait* const next = waiting->next_;
            reschedule(*waiting->task);
            waiting = next;
        }
    }

    /// Wakes the task that has waited longest.
    ///
    /// @returns  its operation, still alive until the task runs; null if nobody waits
    parked_wait* unpark_first() noexcept {
        parked_wait* const woken = first_;
        if (!woken)
            return nullptr;
        first_ = woken->next_;
        reschedule(*woken->task);
        return woken;
    }

    /// Moves the first `count` tasks to the end of another lot, still waiting.
    std::size_t repark(parking_lot& other, std::size_t count = 1) noexcept;

    /// Moves one that waits here to the end of another lot.
    void repark_one(parked_wait& waiting, parking_lot& other) noexcept {
        remove(waiting);
        waiting.enqueue(other);
    }

    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

    [[nodiscard]] parked_wait* front() const noexcept { return first_; }

    /// How many wait here. Counts them: O(n).
    [[nodiscard]] std::size_t size() const noexcept;

    [[nodiscard]] parking_lot_statistics statistics() const noexcept {
        return {size()};
    }

private:
    friend parked_wait;

    // Few stores: most lots have one waiter at a time.
    void append(parked_wait& waiting) noexcept {
        waiting.next_ = nullptr;
        if (first_) {
            waiting.prev_ = last_;
            last_->next_ = &waiting;
        } else {
            first_ = &waiting;
        }
        last_ = &waiting;
    }

    void remove(parked_wait& waiting) noexcept {
        parked_wait* const next = waiting.next_;
        if (first_ == &waiting) {
            first_ = next;
            return;
        }
        waiting.prev_->next_ = next;
        (next ? next->prev_ : last_) = waiting.prev_;
    }

    [[noreturn]] void destroyed_with_waiters() const noexcept;

    static const wait_kind park_kind_;

    parked_wait* first_ = nullptr;
    parked_wait* last_;  // if there is a first
};

inline void parked_wait::enqueue() noexcept {
    lot_->append(*this);
}

inline void parked_wait::enqueue(parking_lot& lot) noexcept {
    lot_ = &lot;
    lot.append(*this);
}

}  // namespace anyio::lowlevel
