// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// lock: one task at a time. Manual: docs/manual/synchronization.md#locks

#include <anyio/lowlevel/parking_lot.hpp>
#include <anyio/lowlevel/task_info.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace anyio {

class lock;

/// What a lock looks like at one moment.
struct lock_statistics {
    bool locked = false;
    std::optional<task_info> owner;
    std::size_t tasks_waiting = 0;

    friend bool operator==(const lock_statistics&, const lock_statistics&) = default;
};

/// Releases a lock when it goes.
class [[nodiscard("the lock is released when this goes: keep it in a variable"
)]] held_lock {
public:
    held_lock(held_lock&& other) noexcept
        : lock_(std::exchange(other.lock_, nullptr)) {}

    held_lock& operator=(held_lock&& other) noexcept {
        std::swap(lock_, other.lock_);
        return *this;
    }

    ~held_lock();

private:
    friend lock;
    friend class hold_operation;

    explicit held_lock(lock& held) noexcept : lock_(&held) {}

    lock* lock_;
};

/// Waits for a lock.
class [[nodiscard]] acquire_operation : public lowlevel::awaitable_base,
                                        public lowlevel::parked_wait {
public:
    explicit acquire_operation(lock& wanted) noexcept;

    /// @throws usage_error  if the task has the lock already
    [[nodiscard]] bool await_ready();
    void await_suspend(std::coroutine_handle<> handle) noexcept;

    void await_resume() const noexcept {}

protected:
    friend lock;

    static lowlevel::abort_result aborted(lowlevel::wait_record& record) noexcept;
    static void describe(const lowlevel::wait_record& record, std::string& out);
    static const lowlevel::wait_kind kind_;

    lock* wanted_;
};

/// Waits for a lock, and yields a held_lock.
class [[nodiscard]] hold_operation final : public acquire_operation {
public:
    using acquire_operation::acquire_operation;

    held_lock await_resume() const noexcept { return held_lock(*wanted_); }
};

/// Only one task has it at a time. Fair: tasks get it in the order in which they came,
/// and it is handed to the next one directly, so nobody can overtake.
///
/// ```
/// auto held = co_await lock.hold();
/// ```
///
/// The owner is a task, not a place in the code: only it may release. A lock may be made
/// before a loop runs.
///
/// @threads  loop
/// @anyio    anyio.Lock
class lock {
public:
    lock() noexcept = default;

    lock(const lock&) = delete;  // waiting tasks hold its address
    lock& operator=(const lock&) = delete;

    /// Waits until the lock is this task's, and releases it when the result goes.
    ///
    /// @throws usage_error  if the task has it already
    /// @checkpoint    always
    /// @cancellation  atomic: the lock is not taken
    /// @allocates     nothing
    [[nodiscard]] hold_operation hold() noexcept { return hold_operation(*this); }

    /// Like hold(), for those who release() by hand.
    ///
    /// @checkpoint    always
    /// @cancellation  atomic: the lock is not taken
    [[nodiscard]] acquire_operation acquire() noexcept {
        return acquire_operation(*this);
    }

    /// Takes the lock if it is free.
    ///
    /// @throws would_block  if it is not
    /// @throws usage_error  if the task has it already
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

    [[nodiscard]] bool locked() const noexcept { return owner_ != nullptr; }

    [[nodiscard]] lock_statistics statistics() const;

private:
    friend held_lock;
    friend acquire_operation;

    void hand_over() noexcept;

    lowlevel::parking_lot waiters_;  // empty while owner_ is null
    lowlevel::task_state* owner_ = nullptr;
};

inline held_lock::~held_lock() {
    if (lock_)
        lock_->hand_over();
}

}  // namespace anyio
