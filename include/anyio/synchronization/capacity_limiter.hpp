// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// capacity_limiter: a semaphore that knows who has its tokens, and whose size may change.
/// Manual: docs/manual/synchronization.md#capacity-limiters

#include <anyio/lowlevel/parking_lot.hpp>
#include <anyio/synchronization/detail/borrower_set.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace anyio {

class capacity_limiter;

/// Who has a token: a task, or an object on whose behalf it was acquired.
struct token_borrower {
    std::uint64_t task_id = 0;     ///< task_info::id(); 0: not a task
    const void* object = nullptr;  ///< null: a task

    friend bool operator==(const token_borrower&, const token_borrower&) = default;
};

/// What a capacity limiter looks like at one moment.
struct capacity_limiter_statistics {
    std::size_t borrowed_tokens = 0;
    std::size_t total_tokens = 0;           ///< capacity_limiter::infinite: no limit
    std::vector<token_borrower> borrowers;  ///< in no particular order
    std::size_t tasks_waiting = 0;

    friend bool
    operator==(const capacity_limiter_statistics&, const capacity_limiter_statistics&) =
        default;
};

/// Gives a token back when it goes; it may be moved.
class [[nodiscard("the token is given back when this goes: keep it in a variable"
)]] held_token {
public:
    held_token(held_token&& other) noexcept
        : from_(std::exchange(other.from_, nullptr)), borrower_(other.borrower_) {}

    held_token& operator=(held_token&& other) noexcept {
        held_token taken(std::move(other));  // what this was goes with it
        std::swap(from_, taken.from_);
        std::swap(borrower_, taken.borrower_);
        return *this;
    }

    ~held_token() { release(); }

    /// Gives it back now.
    void release() noexcept;

    /// For capacity_limiter.
    held_token(capacity_limiter& from, detail::borrower_key borrower) noexcept
        : from_(&from), borrower_(borrower) {}

private:
    capacity_limiter* from_;
    detail::borrower_key borrower_;
};

namespace detail {

/// Waits for a token.
class [[nodiscard]] token_acquire : public lowlevel::parked_operation<token_acquire> {
public:
    /// @param object  null: for the running task
    token_acquire(capacity_limiter& wanted, const void* object) noexcept;

    [[nodiscard]] bool try_complete();

    void await_resume() const noexcept {}

protected:
    friend capacity_limiter;

    static lowlevel::abort_result aborted(lowlevel::wait_record& record) noexcept;
    static const lowlevel::wait_kind kind_;

    capacity_limiter* wanted_;
    borrower_key borrower_;
};

/// Waits for a token, and yields what gives it back.
class [[nodiscard]] token_hold final : public token_acquire {
public:
    using token_acquire::token_acquire;

    held_token await_resume() const noexcept { return {*wanted_, borrower_}; }
};

}  // namespace detail

/// So many borrowers at a time, each with one token: the running task, or any object on
/// whose behalf a token is acquired.
///
/// Fair: a token that comes free is the longest waiting borrower's at once, so nobody can
/// overtake. The number of tokens may change at any time.
///
/// May be made before a loop runs.
///
/// @threads  loop
/// @anyio    anyio.CapacityLimiter
/// @example  docs/snippets/synchronization/capacity_limiter.cpp
class capacity_limiter {
public:
    static constexpr std::size_t infinite = SIZE_MAX;

    /// @param total_tokens  0: nobody gets one for now; `infinite`: everybody does
    /// @throws usage_error  if it was negative
    explicit capacity_limiter(std::size_t total_tokens);

    capacity_limiter(const capacity_limiter&) =
        delete;  // waiting tasks hold its address
    capacity_limiter& operator=(const capacity_limiter&) = delete;

    /// Waits for a token for the running task, and gives it back when the result goes.
    ///
    /// @throws usage_error     if it has one
    /// @throws std::bad_alloc  nothing has changed
    /// @checkpoint    always
    /// @cancellation  atomic: no token is taken
    /// @allocates     only when there are more borrowers than ever before
    [[nodiscard]] detail::token_hold hold() noexcept { return {*this, nullptr}; }

    /// The same for an object, whose address alone matters.
    ///
    /// @throws usage_error  if it has a token, or waits for one, or is null
    [[nodiscard]] detail::token_hold hold_on_behalf_of(const void* borrower);

    /// Like hold(), for those who release() by hand.
    [[nodiscard]] detail::token_acquire acquire() noexcept { return {*this, nullptr}; }

    [[nodiscard]] detail::token_acquire acquire_on_behalf_of(const void* borrower);

    /// Takes a token if one is free.
    ///
    /// @throws would_block  if none is
    /// @throws usage_error, std::bad_alloc  as hold()
    /// @checkpoint    never
    /// @cancellation  none
    void acquire_nowait();
    void acquire_on_behalf_of_nowait(const void* borrower);

    /// The same, telling whether one was free.
    [[nodiscard]] bool try_acquire();
    [[nodiscard]] bool try_acquire_on_behalf_of(const void* borrower);

    /// Gives the running task's token back, or that of the object: to the borrower that
    /// has waited longest, if any.
    ///
    /// @throws usage_error  if it has none
    /// @checkpoint    never
    /// @cancellation  none
    void release();
    void release_on_behalf_of(const void* borrower);

    /// `infinite` if there is no limit.
    [[nodiscard]] std::size_t total_tokens() const noexcept { return total_; }

    /// More tokens go to those who wait. Fewer take none away: then more are borrowed than
    /// there are, until enough have been given back.
    ///
    /// @throws usage_error  if it was negative
    /// @checkpoint    never
    /// @cancellation  none
    void set_total_tokens(std::size_t total);

    [[nodiscard]] std::size_t borrowed_tokens() const noexcept {
        return borrowers_.size();
    }

    /// `infinite` if there is no limit.
    [[nodiscard]] std::size_t available_tokens() const noexcept;

    [[nodiscard]] capacity_limiter_statistics statistics() const;

private:
    friend detail::token_acquire;
    friend held_token;

    [[nodiscard]] bool take(detail::borrower_key borrower);
    void give_back(detail::borrower_key borrower) noexcept;
    void hand_out() noexcept;

    std::size_t total_;
    std::size_t tasks_waiting_ = 0;   // in waiters_
    detail::borrower_set borrowers_;  // has room for those who wait as well
    detail::borrower_set waiting_objects_;
    lowlevel::parking_lot waiters_;  // of token_acquire; empty unless all are borrowed
};

inline void held_token::release() noexcept {
    if (from_)
        std::exchange(from_, nullptr)->give_back(borrower_);
}

}  // namespace anyio
