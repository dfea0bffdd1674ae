// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// operation: the base of everything in this library that may suspend a task. Your own
/// operations are usually shorter with wait_task_rescheduled.hpp.

#include <anyio/lowlevel/loop_state.hpp>

#include <concepts>
#include <type_traits>

namespace anyio::lowlevel {

/// Types that derive from this may be awaited in a task. Neither copied nor moved: the
/// awaiting frame holds them.
class awaitable_base {
public:
    awaitable_base(const awaitable_base&) = delete;
    awaitable_base& operator=(const awaitable_base&) = delete;

protected:
    awaitable_base() noexcept = default;
    ~awaitable_base() = default;
};

/// Operations that run no code of the user before they suspend. A timeout around one may
/// count from its suspension: if there is none, nobody has to know the time.
class leaf_base : public awaitable_base {
protected:
    leaf_base() noexcept = default;
    ~leaf_base() = default;
};

/// An awaiter that a task can use directly.
template <class T>
concept awaiter = std::derived_from<std::remove_cvref_t<T>, awaitable_base>;

/// An operation that completes at once or suspends until somebody reschedules its task.
///
/// `Derived` provides
/// - `bool try_complete()`: do it now if that needs no waiting; may throw;
/// - `void start() noexcept`: the task is parked; remember it (`task`, from wait_record)
///   and see that it is rescheduled. It may be rescheduled before start() returns;
/// - a wait_kind whose abort function undoes start();
/// - `await_resume()`.
///
/// Cancellation is looked for first, so an operation in a cancelled scope has no effect
/// (rule K5). Operations that are ready use up the budget of the task's step; when it is
/// gone, the next one still completes, and then the task goes to the end of the queue.
template <class Derived>
class operation : public leaf_base, public wait_record {
public:
    [[nodiscard]] bool await_ready() {
        loop_state& loop = *this_loop;
        if (cancelled(*loop.current)) [[unlikely]]
            return false;
        if (!static_cast<Derived*>(this)->try_complete())
            return false;
        return spend_budget(loop);
    }

    void await_suspend(awaiting_frame handle) noexcept {
        loop_state& loop = *this_loop;
        frame_link* const leaf = link_of(handle);
        if (cancelled(*loop.current)) [[unlikely]]
            return unwind_now(loop, leaf);
        if (loop.budget < 0) [[unlikely]]
            return budget_spent(loop, leaf);
        park(loop, leaf, *this);
        static_cast<Derived*>(this)->start();
    }

protected:
    explicit operation(const wait_kind& k) noexcept : wait_record(k) {}

    ~operation() = default;
};

}  // namespace anyio::lowlevel
