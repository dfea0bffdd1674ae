// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// outcome<T>, as_outcome: value, error or cancelled, without throwing.
/// Manual: docs/manual/tasks.md#outcomes

#include <anyio/base/errors.hpp>
#include <anyio/basics/awaitable.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace anyio {

namespace detail {

/// Stops an unwinding, whatever its cause.
struct outcome_block : lowlevel::managed_block {
    explicit outcome_block(lowlevel::body_outcome& shared) noexcept
        : managed_block(kind, shared) {}

    static const lowlevel::managed_block_kind kind;
};

/// Continues an unwinding that an outcome stopped, or goes on at once.
template <class T>
class unwrap_operation;

[[noreturn]] void throw_cancelled_outcome();

}  // namespace detail

/// How something that was awaited has ended.
///
/// @anyio  outcome.Outcome
template <class T>
class [[nodiscard]] outcome {
    using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

public:
    /// Cancelled.
    outcome() noexcept = default;

    explicit outcome(std::exception_ptr error) noexcept : error_(std::move(error)) {}

    template <class... U>
    explicit outcome(std::in_place_t, U&&... value)
        : value_(std::in_place, std::forward<U>(value)...) {}

    [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }

    [[nodiscard]] bool has_error() const noexcept { return error_ != nullptr; }

    [[nodiscard]] bool is_cancelled() const noexcept { return !value_ && !error_; }

    [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }

    /// Null if there is none.
    [[nodiscard]] const std::exception_ptr& error() const noexcept { return error_; }

    /// The value.
    ///
    /// @throws the error, if there is one
    /// @throws usage_error  if it was cancelled: await unwrap() instead
    T value() && {
        check();
        if constexpr (!std::is_void_v<T>)
            return std::move(*value_);
    }

    const stored& value() const& {
        check();
        return *value_;
    }

    /// The value; throws the error; or goes on with the cancellation, as if there had
    /// been no outcome: `T v = co_await std::move(o).unwrap();`
    ///
    /// @checkpoint    never, unless it was cancelled
    /// @cancellation  atomic
    [[nodiscard]] detail::unwrap_operation<T> unwrap() &&;

private:
    void check() const {
        if (error_)
            std::rethrow_exception(error_);
        if (!value_)
            detail::throw_cancelled_outcome();
    }

    std::optional<stored> value_;
    std::exception_ptr error_;
};

namespace detail {

template <class T>
class [[nodiscard]] unwrap_operation : public lowlevel::awaitable_base {
public:
    explicit unwrap_operation(outcome<T>& ended) noexcept : ended_(&ended) {}

    [[nodiscard]] bool await_ready() const noexcept { return !ended_->is_cancelled(); }

    void await_suspend(lowlevel::awaiting_frame handle) const noexcept {
        unwind_now(*lowlevel::this_loop, lowlevel::link_of(handle));
    }

    T await_resume() const { return std::move(*ended_).value(); }

private:
    outcome<T>* ended_;
};

template <class A>
class [[nodiscard]] outcome_await : public lowlevel::awaitable_base {
    using value = std::remove_cvref_t<awaited_t<A>>;

public:
    explicit outcome_await(A&& awaited)
        : outcome_{&owner_}, block_(outcome_),
          inner_(awaiter_of(std::forward<A>(awaited), block_.link)) {}

    [[nodiscard]] bool await_ready() noexcept {
        try {
            return inner_.await_ready();
        } catch (...) {
            owner_.error = std::current_exception();
            return true;
        }
    }

    void attach(frame_link& parent) noexcept { block_.link.parent = &parent; }

    void await_suspend(lowlevel::awaiting_frame) noexcept {
        inner_.await_suspend(lowlevel::awaiting_frame(&block_.link));
    }

    outcome<value>
    await_resume() noexcept(std::is_nothrow_move_constructible_v<outcome<value>>) {
        if (outcome_.state == lowlevel::body_state::cut)
            return {};
        if (owner_.error)
            return outcome<value>(std::move(owner_.error));
        try {
            if constexpr (std::is_void_v<value>) {
                inner_.await_resume();
                return outcome<value>(std::in_place);
            } else {
                return outcome<value>(std::in_place, inner_.await_resume());
            }
        } catch (...) {
            return outcome<value>(std::current_exception());
        }
    }

private:
    frame_owner owner_;
    lowlevel::body_outcome outcome_;
    outcome_block block_;
    awaiter_t<A> inner_;
};

}  // namespace detail

template <class T>
detail::unwrap_operation<T> outcome<T>::unwrap() && {
    return detail::unwrap_operation<T>(*this);
}

/// Awaits `awaitable` and tells how it ended: value, error, or cancelled. Never throws.
///
/// A cancelled outcome has stopped the unwinding here, but not undone the cancellation:
/// the next checkpoint in this scope unwinds again. Clean up under shielded(), then
/// `co_await std::move(o).unwrap()` to go on with it.
///
/// @checkpoint    as `awaitable`
/// @cancellation  as `awaitable`; then it is the outcome
/// @threads       loop
/// @allocates     nothing
/// @anyio         outcome.acapture
template <detail::awaitable A>
[[nodiscard]] detail::outcome_await<A> as_outcome(A&& awaitable) {
    return detail::outcome_await<A>(std::forward<A>(awaitable));
}

template <class A>
    requires(!detail::awaitable<A>)
void as_outcome(A&&) {
    detail::refuse_unawaitable<A>();
}

}  // namespace anyio
