// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// condition: wait, without a lock that you have, until somebody says that what it
/// protects has changed. Manual: docs/manual/synchronization.md#conditions

#include <anyio/lowlevel/block.hpp>
#include <anyio/synchronization/lock.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace anyio {

class condition;

/// What a condition looks like at one moment.
struct condition_statistics {
    std::size_t tasks_waiting = 0;  ///< for a notification; not for the lock
    anyio::lock_statistics lock_statistics;

    friend bool
    operator==(const condition_statistics&, const condition_statistics&) = default;
};

namespace detail {

/// Waits for a notification, then for the lock.
class [[nodiscard]] condition_wait : public lowlevel::awaitable_base, public lock_wait {
public:
    explicit condition_wait(condition& awaited) noexcept;

    /// @throws usage_error  if the task does not have the lock
    [[nodiscard]] bool await_ready() const;
    void await_suspend(lowlevel::awaiting_frame handle) noexcept;
    void await_resume() const;

protected:
    /// Releases the lock and parks the task, to go on at `leaf`.
    void wait_at(lowlevel::frame_link* leaf) noexcept;

private:
    static lowlevel::abort_result aborted(lowlevel::wait_record& record) noexcept;
    static void describe(const lowlevel::wait_record& record, std::string& out);
    static const lowlevel::wait_kind kind_;

    condition* awaited_;
};

extern const lowlevel::block_kind predicate_block_kind;

/// Waits for notifications until a predicate holds. The predicate is called in the task's
/// own steps, by a block that stands for the awaiting frame.
template <class P>
class [[nodiscard("wait_for() waits when you co_await it")]] condition_wait_for final
    : public condition_wait,
      private lowlevel::block {
    using value = std::remove_cvref_t<std::invoke_result_t<P&>>;

public:
    condition_wait_for(condition& awaited, P& predicate) noexcept
        : condition_wait(awaited), block(&woken, predicate_block_kind),
          predicate_(&predicate) {}

    [[nodiscard]] bool await_ready() {
        (void)condition_wait::await_ready();  // throws without the lock
        return !cancelled(*lowlevel::this_loop->current) && holds();
    }

    void await_suspend(lowlevel::awaiting_frame handle) noexcept {
        link.parent = lowlevel::link_of(handle);
        wait_at(&link);
    }

    value await_resume() {
        condition_wait::await_resume();
        if (error_)
            std::rethrow_exception(std::move(error_));
        return std::move(*value_);
    }

private:
    [[nodiscard]] bool holds() {
        value_.emplace((*predicate_)());
        return static_cast<bool>(*value_);
    }

    // The task has the lock, or never will.
    static void woken(void* frame) {
        auto& self = static_cast<condition_wait_for&>(block::from(frame));
        bool ends = true;
        try {
            ends = self.failed_ || self.holds();
        } catch (...) {
            self.error_ = std::current_exception();
        }
        if (ends)
            lowlevel::continue_with(*lowlevel::this_loop, self.link.parent);
        else
            self.wait_at(&self.link);
    }

    P* predicate_;
    std::optional<value> value_;
    std::exception_ptr
        error_;  // the predicate's, when it was not called by await_ready
};

}  // namespace detail

/// A lock, and a queue of tasks that wait for a change of what it protects.
///
/// ```
/// auto held = co_await changed.hold();
/// co_await changed.wait_for([&] { return !queue.empty(); });
/// ```
///
/// Tasks of one loop need it only where several awaits must be seen as one change;
/// otherwise an event, or a memory object stream, is simpler.
///
/// @threads  loop
/// @anyio    anyio.Condition
/// @example  docs/snippets/synchronization/condition.cpp
class condition {
public:
    /// With a lock of its own.
    condition() noexcept : lock_(&own_) {}

    /// With a lock that others use too; it must outlive the condition.
    explicit condition(lock& shared) noexcept : lock_(&shared) {}

    condition(const condition&) = delete;  // waiting tasks hold its address
    condition& operator=(const condition&) = delete;

    /// The lock's; see there.
    [[nodiscard]] auto hold() noexcept { return lock_->hold(); }

    [[nodiscard]] auto acquire() noexcept { return lock_->acquire(); }

    void acquire_nowait() { lock_->acquire_nowait(); }

    [[nodiscard]] bool try_acquire() { return lock_->try_acquire(); }

    void release() { lock_->release(); }

    [[nodiscard]] bool locked() const noexcept { return lock_->locked(); }

    /// Releases the lock, waits for a notification, and acquires the lock again.
    ///
    /// What was waited for may be gone again, or somebody else's, so look at it in a loop;
    /// wait_for() does.
    ///
    /// @throws usage_error            if the task does not have the lock
    /// @throws broken_resource_error  if the lock broke; the task does not have it then
    /// @checkpoint    always
    /// @cancellation  the task has the lock again before it unwinds, whoever has it
    ///                meanwhile. A notification that came first wins: it is never lost
    /// @allocates     nothing
    [[nodiscard]] detail::condition_wait wait() noexcept {
        return detail::condition_wait(*this);
    }

    /// Waits until `predicate()` is true in the sense of `if`; at once if it is.
    ///
    /// @param predicate  called with the lock held, by this task alone
    /// @returns  what the predicate returned
    /// @throws   as wait(), and what the predicate throws; the lock is held then
    /// @checkpoint    if it waits
    /// @cancellation  as wait()
    /// @allocates     nothing
    template <class Predicate>
    [[nodiscard]] detail::condition_wait_for<std::remove_reference_t<Predicate>>
    wait_for(Predicate&& predicate) {
        static_assert(
            !ANYIO_BUG_TEMPORARIES_IN_AWAIT || std::is_lvalue_reference_v<Predicate> ||
                std::is_trivially_destructible_v<Predicate>,
            "g++ 12 destroys by-value captures of a lambda temporary in a co_await "
            "expression twice; capture by reference, or name the lambda first"
        );
        return {*this, predicate};
    }

    /// Wakes the `count` tasks that have waited longest. They queue up for the lock right
    /// away, so they run one after the other once the caller has released it.
    ///
    /// @throws usage_error  if the task does not have the lock
    /// @checkpoint    never
    /// @cancellation  none
    void notify(std::size_t count = 1);

    void notify_all() { notify(lowlevel::parking_lot::all); }

    [[nodiscard]] condition_statistics statistics() const {
        return {waiters_.size(), lock_->statistics()};
    }

private:
    friend detail::condition_wait;

    void require_lock(const char* operation) const;

    lock own_;
    lock* lock_;
    lowlevel::parking_lot
        waiters_;  // of condition_wait; notify() moves them to the lock
};

}  // namespace anyio
