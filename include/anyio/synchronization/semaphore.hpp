// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// semaphore: so many tasks at a time. Manual: docs/manual/synchronization.md#semaphores

#include <anyio/lowlevel/parking_lot.hpp>
#include <anyio/synchronization/detail/held.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace anyio {

class semaphore;

/// What a semaphore looks like at one moment.
struct semaphore_statistics {
    std::size_t tasks_waiting = 0;

    friend bool
    operator==(const semaphore_statistics&, const semaphore_statistics&) = default;
};

/// How a semaphore behaves. Trivially destructible: see docs/manual/compilers.md.
struct semaphore_options {
    static constexpr std::size_t unlimited = SIZE_MAX;

    /// release() beyond this is a mistake.
    std::size_t max_value = unlimited;
    /// An acquire() that need not wait never lets others run, not even when the task has
    /// used up its turn.
    bool fast_acquire = false;
};

/// Releases a semaphore when it goes.
using held_permit = detail::held<semaphore>;

namespace detail {

/// Waits for a semaphore.
class [[nodiscard]] semaphore_acquire
    : public lowlevel::parked_operation<semaphore_acquire> {
public:
    explicit semaphore_acquire(semaphore& wanted) noexcept;

    [[nodiscard]] bool try_complete() noexcept;
    [[nodiscard]] bool never_yields() const noexcept;

    void await_resume() const noexcept {}

protected:
    [[nodiscard]] held_permit acquired() const noexcept {
        return held_permit(*wanted_);
    }

private:
    static constexpr lowlevel::wait_kind kind_{
        &leave_lot, "semaphore::acquire", nullptr
    };

    semaphore* wanted_;
};

}  // namespace detail

/// A counter that acquire() counts down, waiting while it is zero, and release() counts up.
///
/// Fair: a release goes to the task that has waited longest, directly, so nobody can
/// overtake, and the value stays zero. Whoever likes may release: use a lock or a
/// capacity_limiter where it matters who does.
///
/// May be made before a loop runs.
///
/// @threads  loop
/// @anyio    anyio.Semaphore
/// @example  docs/snippets/synchronization/semaphore.cpp
class semaphore {
public:
    /// @throws usage_error  if `initial_value` is more than the maximum, or was negative
    explicit semaphore(std::size_t initial_value, semaphore_options options = {})
        : value_(initial_value), max_(options.max_value), fast_(options.fast_acquire) {
        check();
    }

    semaphore(const semaphore&) = delete;  // waiting tasks hold its address
    semaphore& operator=(const semaphore&) = delete;

    /// Waits until the value is not zero, counts it down, and up again when the result
    /// goes.
    ///
    /// @throws        nothing
    /// @checkpoint    always
    /// @cancellation  atomic: the value is as it was
    /// @allocates     nothing
    [[nodiscard]] detail::hold_operation<detail::semaphore_acquire> hold() noexcept {
        return detail::hold_operation<detail::semaphore_acquire>(*this);
    }

    /// Like hold(), for those who release() by hand, perhaps in another task.
    [[nodiscard]] detail::semaphore_acquire acquire() noexcept {
        return detail::semaphore_acquire(*this);
    }

    /// Counts down if the value is not zero.
    ///
    /// @throws would_block  if it is
    /// @checkpoint    never
    /// @cancellation  none
    void acquire_nowait() {
        if (!try_acquire())
            throw_would_block();
    }

    /// The same, telling whether it was not zero.
    [[nodiscard]] bool try_acquire() noexcept {
        if (value_ == 0)
            return false;
        --value_;
        return true;
    }

    /// Wakes the task that has waited longest, or counts up.
    ///
    /// @throws usage_error  if the value is the maximum
    /// @checkpoint    never
    /// @cancellation  none
    void release() {
        if (value_ == max_) [[unlikely]]
            throw_too_many();
        give_back();
    }

    [[nodiscard]] std::size_t value() const noexcept { return value_; }

    /// Empty if there is none.
    [[nodiscard]] std::optional<std::size_t> max_value() const noexcept {
        if (max_ == semaphore_options::unlimited)
            return std::nullopt;
        return max_;
    }

    [[nodiscard]] semaphore_statistics statistics() const noexcept {
        return {waiters_.size()};
    }

private:
    friend detail::semaphore_acquire;
    friend held_permit;

    void give_back() noexcept {
        if (!waiters_.unpark_first() && value_ != max_)
            ++value_;
    }

    void check() const;
    [[noreturn]] static void throw_would_block();
    [[noreturn]] void throw_too_many() const;

    lowlevel::parking_lot waiters_;  // empty unless value_ is 0
    std::size_t value_;
    std::size_t max_;
    bool fast_;
};

namespace detail {

inline semaphore_acquire::semaphore_acquire(semaphore& wanted) noexcept
    : parked_operation(wanted.waiters_, kind_), wanted_(&wanted) {}

inline bool semaphore_acquire::try_complete() noexcept {
    return wanted_->try_acquire();
}

inline bool semaphore_acquire::never_yields() const noexcept {
    return wanted_->fast_;
}

}  // namespace detail

}  // namespace anyio
