// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// cancel_scope: cancel a block, set its deadline, shield it.
/// Manual: docs/manual/cancellation.md

#include <anyio/cancellation/cancel_reason.hpp>
#include <anyio/lowlevel/scope_block.hpp>

#include <optional>
#include <source_location>
#include <string_view>

namespace anyio {

/// How a cancel scope begins. A trivially destructible aggregate, so that it may stand
/// in an awaited expression on g++ 12.
struct cancel_scope_options {
    time_point deadline = never;
    bool shield = false;
    /// A deadline that counts from when the block begins; instead of `deadline`.
    delay relative_deadline = forever;
};

/// A part of a task, with everything started inside it, that can be cancelled.
///
/// Pass it to `with`; it serves one block:
///
/// ```
/// cancel_scope scope;
/// bool finished = co_await with(scope, [&]() -> task<> { ... });
/// ```
///
/// Cancellation is a state, not an event: as long as the scope is cancelled, every
/// checkpoint inside unwinds the task up to the nearest block. It ends at this scope if
/// the scope itself was cancelled, and nothing around it is, unless hidden by a shield.
///
/// It must outlive its block, else the program ends with a message. To cancel one child of
/// a group, keep the handle that task_group::create_task() returns, not a scope inside the
/// group's block, which would go before the child.
///
/// @threads  loop
/// @anyio    anyio.CancelScope
class cancel_scope {
public:
    cancel_scope() noexcept = default;

    explicit cancel_scope(cancel_scope_options options) noexcept {
        if (const duration timeout = options.relative_deadline; timeout != forever)
            status_.set_timeout(timeout);
        else
            status_.set_deadline(options.deadline);
        if (options.shield)
            status_.set_shield(true);
    }

    ~cancel_scope() {
        if (status_.is_in_use()) [[unlikely]]
            destroyed_in_use();
    }

    cancel_scope(const cancel_scope&) = delete;  // tasks inside hold its address
    cancel_scope& operator=(const cancel_scope&) = delete;

    /// Cancels everything inside. Does nothing the second time. Before the block begins
    /// it takes effect at the first checkpoint inside; after it has ended, never.
    ///
    /// Runs no code of yours: the tasks unwind when the loop comes to them.
    ///
    /// @param reason  for reports; the first one stays
    /// @checkpoint    never
    /// @cancellation  none
    void cancel(
        std::string_view reason = {},
        std::source_location where = std::source_location::current()
    ) noexcept {
        status_.cancel(reason, where);
    }

    /// `never` if there is none. Before the block begins, a timeout counts from now.
    [[nodiscard]] time_point deadline() const noexcept { return status_.deadline(); }

    /// Moves the deadline, in both directions. One that has passed cancels at once; a
    /// scope that is cancelled stays so.
    ///
    /// @throws std::bad_alloc  if there is no memory for a timer; nothing has changed
    void set_deadline(time_point deadline) { status_.set_deadline(deadline); }

    /// The deadline as a time after the block begins; empty if it has begun, or if the
    /// deadline is a time of its own.
    ///
    /// @anyio  anyio.CancelScope.relative_deadline
    [[nodiscard]] std::optional<duration> relative_deadline() const noexcept {
        return status_.relative_deadline();
    }

    /// Sets a deadline that counts from when the block begins.
    ///
    /// @throws usage_error  if it has begun: set_deadline(current_time() + d)
    void set_relative_deadline(delay after_begin);

    /// Whether cancellation from outside is kept away from the inside.
    [[nodiscard]] bool shield() const noexcept {
        return status_.has(lowlevel::scope_shielded);
    }

    /// Lowering the shield in a cancelled scope wakes what waits inside, to unwind.
    void set_shield(bool shielded) noexcept { status_.set_shield(shielded); }

    /// Whether cancel() was called or the deadline has passed. Once true, it stays so.
    [[nodiscard]] bool cancel_called() const noexcept;

    /// Why this scope was cancelled: the first call of cancel(), or its deadline. Empty if
    /// it was not; what cancelled a scope around it is not told here, but by
    /// current_cancel_reason().
    ///
    /// @throws std::bad_alloc
    [[nodiscard]] std::optional<cancel_reason> reason() const {
        return detail::reason_of(status_);
    }

    /// Whether this scope cut its block short: a cancellation ended here.
    [[nodiscard]] bool cancelled_caught() const noexcept {
        return status_.has(lowlevel::scope_caught);
    }

    /// For those who build blocks.
    [[nodiscard]] lowlevel::cancel_status& status() noexcept { return status_; }

    /// How `with` enters and leaves a scope.
    class with_block : public lowlevel::scope_block {
    public:
        static constexpr bool subject_is_optional = true;

        with_block(cancel_scope& s, lowlevel::body_outcome& shared) noexcept
            : scope_block(s.status_, s.fails_, s.limit_, shared), subject_(s) {}

        /// @throws usage_error  if the scope has served a block already
        void enter(lowlevel::loop_state& loop) {
            if (scope->has(lowlevel::scope_entered)) [[unlikely]]
                throw_entered_twice();
            scope->enter(loop, *loop.current);
        }

        [[nodiscard]] cancel_scope& subject() noexcept { return subject_; }

    private:
        cancel_scope& subject_;
    };

protected:
    [[noreturn]] static void throw_entered_twice();
    [[noreturn]] void destroyed_in_use() const noexcept;

    mutable lowlevel::cancel_status status_;  // see cancel_called()
    bool fails_ = false;        ///< fail_after: throw when the deadline cuts it short
    duration limit_ = forever;  ///< of fail_after, for the message
};

}  // namespace anyio
