// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// lock: one task at a time. Manual: docs/manual/synchronization.md#locks

#include <anyio/lowlevel/parking_lot.hpp>
#include <anyio/lowlevel/possession.hpp>
#include <anyio/lowlevel/task_info.hpp>
#include <anyio/synchronization/detail/held.hpp>

#include <cstddef>
#include <exception>
#include <optional>

namespace anyio {

class lock;

/// What a lock looks like at one moment.
struct lock_statistics {
    bool locked = false;
    std::optional<task_info> owner;
    std::size_t tasks_waiting = 0;

    friend bool operator==(const lock_statistics&, const lock_statistics&) = default;
};

/// How a lock behaves. Trivially destructible: see docs/manual/compilers.md.
struct lock_options {
    /// An acquire() that finds the lock free never lets others run, not even when the task
    /// has used up its turn.
    bool fast_acquire = false;
};

/// Releases a lock when it goes. The owner is the task that acquired the lock, not this
/// object: it may be moved, but not to where it outlives the task.
using held_lock = detail::held<lock>;

namespace detail {

/// What stands in the queue of a lock.
class lock_wait : public lowlevel::parked_wait {
protected:
    lock_wait(
        lock& wanted, lowlevel::parking_lot& lot, const lowlevel::wait_kind& k
    ) noexcept
        : parked_wait(lot, k), wanted_(&wanted) {}

    friend anyio::lock;

    lock* wanted_;
    bool unwinds_ = false;  ///< cancelled, but goes on to unwind only with the lock
    bool failed_ = false;   ///< woken because the lock broke
};

/// Waits for a lock.
class [[nodiscard]] lock_acquire
    : public lowlevel::parked_operation<lock_acquire, lock_wait> {
public:
    explicit lock_acquire(lock& wanted) noexcept;

    [[nodiscard]] bool try_complete();
    [[nodiscard]] bool never_yields() const noexcept;
    void await_resume() const;

protected:
    friend lock;

    [[nodiscard]] held_lock acquired() const noexcept { return held_lock(*wanted_); }

    static lowlevel::abort_result aborted(lowlevel::wait_record& record) noexcept;
    static void describe(const lowlevel::wait_record& record, std::string& out);
    static const lowlevel::wait_kind kind_;
};

class condition_wait;

}  // namespace detail

/// Only one task has it at a time. Fair: tasks get it in the order in which they came,
/// and it is handed to the next one directly, so nobody can overtake.
///
/// ```
/// auto held = co_await lock.hold();
/// ```
///
/// The owner is a task, not a place in the code: only it may release. If it ends without
/// having done so, what the lock protects may be in any state, so the lock is broken:
/// who waits for it, and whoever wants it later, gets a broken_resource_error that names
/// the task. Two tasks that wait for locks of each other are reported on the standard
/// error output in debug builds.
///
/// A lock may be made before a loop runs.
///
/// @threads  loop
/// @anyio    anyio.Lock
/// @example  docs/snippets/synchronization/lock.cpp
class lock : private lowlevel::possession {
public:
    lock() noexcept : possession(&owner_ended) {}

    explicit lock(lock_options options) noexcept
        : possession(&owner_ended), fast_(options.fast_acquire) {}

    lock(const lock&) = delete;  // waiting tasks hold its address
    lock& operator=(const lock&) = delete;

    /// Waits until the lock is this task's, and releases it when the result goes.
    ///
    /// @throws usage_error            if the task has it already
    /// @throws broken_resource_error  if a task has ended without having released it
    /// @checkpoint    always
    /// @cancellation  atomic: the lock is not taken
    /// @allocates     nothing
    [[nodiscard]] detail::hold_operation<detail::lock_acquire> hold() noexcept {
        return detail::hold_operation<detail::lock_acquire>(*this);
    }

    /// Like hold(), for those who release() by hand.
    ///
    /// @checkpoint    always
    /// @cancellation  atomic: the lock is not taken
    [[nodiscard]] detail::lock_acquire acquire() noexcept {
        return detail::lock_acquire(*this);
    }

    /// Takes the lock if it is free.
    ///
    /// @throws would_block  if it is not
    /// @throws usage_error, broken_resource_error  as hold()
    /// @checkpoint    never
    /// @cancellation  none
    void acquire_nowait();

    /// The same, telling whether it was free.
    [[nodiscard]] bool try_acquire();

    /// Hands the lock to the task that has waited longest, or frees it.
    ///
    /// @throws usage_error  if the task does not have it
    /// @checkpoint    never
    /// @cancellation  none
    void release();

    /// Also if it is broken.
    [[nodiscard]] bool locked() const noexcept {
        return owner() != nullptr || broken_ != nullptr;
    }

    [[nodiscard]] lock_statistics statistics() const;

private:
    friend detail::lock_acquire;
    friend detail::condition_wait;
    friend class condition;
    friend held_lock;

    [[nodiscard]] bool try_take(lowlevel::loop_state& loop) {
        if (locked()) [[unlikely]]
            return refuse(loop);
        take(*loop.current);
        return true;
    }

    [[nodiscard]] bool is_mine() const noexcept;
    /// False if the task has to wait.
    [[nodiscard]] bool refuse(lowlevel::loop_state& loop) const;
    /// In debug builds, reports tasks that wait for each other.
    void must_wait() const noexcept;
    [[nodiscard]] static const lowlevel::task_state*
    owner_of_wanted(const lowlevel::task_state& task);
    void give_back() noexcept;
    /// For a task that waits in another lot and is cancelled: it unwinds with the lock.
    [[nodiscard]] lowlevel::abort_result
    take_to_unwind(detail::lock_wait& waiting) noexcept;
    static void
    owner_ended(lowlevel::possession& self, const lowlevel::task_state& owner) noexcept;

    lowlevel::parking_lot waiters_;  // of lock_wait; empty while nobody has the lock
    std::exception_ptr broken_;      // what everybody gets; then there is no owner
    bool fast_ = false;
};

namespace detail {

inline lock_acquire::lock_acquire(lock& wanted) noexcept
    : parked_operation(wanted, wanted.waiters_, kind_) {}

inline bool lock_acquire::try_complete() {
    if (wanted_->try_take(*lowlevel::this_loop)) [[likely]]
        return true;
    wanted_->must_wait();
    return false;
}

inline bool lock_acquire::never_yields() const noexcept {
    return wanted_->fast_;
}

inline void lock_acquire::await_resume() const {
    if (failed_) [[unlikely]]
        std::rethrow_exception(wanted_->broken_);  // it stays broken
}

}  // namespace detail

}  // namespace anyio
