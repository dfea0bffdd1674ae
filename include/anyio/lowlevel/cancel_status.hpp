// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// cancel_status: one node of the tree of cancellation. The public face is
/// cancellation/cancel_scope.hpp.

#include <anyio/lowlevel/task_state.hpp>
#include <anyio/lowlevel/timer.hpp>

#include <cstdint>
#include <optional>
#include <source_location>
#include <string_view>

namespace anyio::lowlevel {

struct cancel_cause;

/// Bits of cancel_status::flags.
enum scope_flag : std::uint8_t {
    /// Cancelled as seen by the tasks inside. Pushed down whenever something changes, so
    /// that a checkpoint looks at one byte and nobody walks up.
    scope_effective = 1,
    scope_cancel_called = 2,
    scope_by_deadline = 4,  ///< the deadline was the cause of cancel_called
    scope_shielded = 8,
    scope_caught = 16,
    /// Entered by a task that has not suspended since: not in the tree yet, its deadline
    /// not armed. Most scopes of operations that are ready at once never are.
    scope_apart = 32,
    scope_entered = 64,
    scope_left = 128,
};

/// Deadline, shield and cancellation of one scope.
///
/// Invariants: `effective` is `cancel_called || (!shielded && parent->effective)` for
/// every entered scope at any time user code runs; the children list holds exactly the
/// entered, unleft scopes whose parent this is, except those that are apart. Only the
/// innermost scopes of the running task can be apart: join_tree() ends that before the
/// task suspends, and before anything is pushed down the tree.
///
/// @threads  loop
class cancel_status {
public:
    cancel_status() noexcept : deadline_timer_(*this) {}

    ~cancel_status() {
        if (cause_) [[unlikely]]
            forget_cause();
    }

    // Children and tasks hold its address.
    cancel_status(const cancel_status&) = delete;
    cancel_status& operator=(const cancel_status&) = delete;

    /// Becomes the current scope of `task`, inside its present one.
    ///
    /// @throws std::bad_alloc  if there is no room for the deadline; nothing has changed
    void enter(loop_state& loop, task_state& task) {
        if (deadline_ != never) {
            if (task.scope->has(scope_apart)) [[unlikely]]
                limit_apart(loop, *task.scope);
            start_deadline(loop);
        }
        enter_apart(task);
    }

    /// The same around an operation that runs no code of the user before it suspends: a
    /// deadline that is relative counts from there.
    void enter_around_leaf(loop_state& loop, task_state& task);
    /// Becomes the base scope of a new task, with `parent` around it.
    void enter_as_base(cancel_status& parent, task_state& task) noexcept;
    /// Becomes the scope around everything in a run.
    void enter_as_root(task_state& main) noexcept;

    /// Ends the scope; the task is back in the scope around it.
    void leave(loop_state& loop) noexcept {
        if (!has(scope_apart))
            leave_tree(loop);
        host_->scope = parent_;
        flags_ = static_cast<std::uint8_t>((flags_ & ~scope_apart) | scope_left);
    }

    /// Whether a cancellation that has unwound everything inside ends here (rule K6).
    /// Remembers the answer for caught().
    [[nodiscard]] bool absorb() noexcept;

    /// Idempotent; the first reason stays. See rule K3.
    void cancel(std::string_view reason, std::source_location where) noexcept;

    /// Absolute deadline; moves the timer if the scope has been entered. A deadline that
    /// is not in the future cancels now. Never un-cancels.
    void set_deadline(time_point deadline);
    /// Deadline relative to the entry; only before it.
    void set_timeout(duration timeout) noexcept;

    /// When the deadline comes, it is an error, and cause() shall say what it cut short.
    void fail_at_deadline() noexcept { fails_ = true; }

    [[nodiscard]] bool fails_at_deadline() const noexcept { return fails_; }

    /// Cancels if the deadline has passed, though the loop has not come to it yet.
    ///
    /// @returns  whether the scope is cancelled
    bool notice_deadline() noexcept;
    void set_shield(bool shielded) noexcept;
    /// Moves this scope, with all in it, under another one.
    void reparent(cancel_status& parent) noexcept;

    /// `never` if there is none. For a scope that has not been entered and has a
    /// relative deadline, what it would be if it were entered now.
    [[nodiscard]] time_point deadline() const noexcept;

    /// Of a scope that has not been entered and has one; else empty.
    [[nodiscard]] std::optional<duration> relative_deadline() const noexcept {
        if (!relative_)
            return std::nullopt;
        return deadline_.time_since_epoch();
    }

    /// The earliest deadline that a task in this scope must expect; the smallest
    /// time_point if it is cancelled.
    [[nodiscard]] time_point effective_deadline() const noexcept;

    [[nodiscard]] bool has(scope_flag flag) const noexcept {
        return (flags_ & flag) != 0;
    }

    [[nodiscard]] std::uint8_t flags() const noexcept { return flags_; }

    /// Whether a task is inside.
    [[nodiscard]] bool is_in_use() const noexcept {
        return (flags_ & (scope_entered | scope_left)) == scope_entered;
    }

    /// Whether something around this scope, not hidden by its shield, is cancelled.
    [[nodiscard]] bool cancelled_from_outside() const noexcept {
        return parent_ && !has(scope_shielded) && parent_->has(scope_effective);
    }

    [[nodiscard]] cancel_status* parent() const noexcept { return parent_; }

    [[nodiscard]] task_state* host() const noexcept { return host_; }

    [[nodiscard]] group_state* group() const noexcept { return group_; }

    [[nodiscard]] cancel_status* first_child() const noexcept { return first_child_; }

    [[nodiscard]] cancel_status* next_sibling() const noexcept { return next_; }

    /// The innermost scope whose cancellation can be seen here: this, or one around it;
    /// null if there is none.
    [[nodiscard]] const cancel_status* origin() const noexcept;

    /// Null if neither cancel() nor fail_at_deadline() was called. After a deadline: where
    /// and in what the task was waiting.
    [[nodiscard]] const cancel_cause* cause() const noexcept { return cause_; }

    /// The group whose children begin in this scope; null: none.
    void set_group(group_state* group) noexcept { group_ = group; }

    /// Brings `innermost` and the scopes around it, as far as they are apart, into the
    /// tree, and arms their deadlines.
    static void join_tree(loop_state& loop, cancel_status& innermost) noexcept;
    /// join_tree() for the running task, if there is one.
    static void join_tree() noexcept;
    /// The deadline timer of a scope has expired.
    static void expired(timer& entry) noexcept;
    /// Makes every scope below cancelled, shields or not: the last resort of a run that
    /// can never go on.
    void cancel_all(std::string_view reason) noexcept;

private:
    struct scope_timer : timer {
        explicit scope_timer(cancel_status& s) noexcept
            : timer(timer_kind::scope), scope(&s) {}

        cancel_status* scope;
    };

    void enter_apart(task_state& task) noexcept {
        parent_ = task.scope;
        host_ = &task;
        task.scope = this;
        unsigned flags = flags_ | unsigned{scope_entered} | scope_apart;
        if (!(flags & scope_shielded))
            flags |= parent_->flags_ & scope_effective;
        flags_ = static_cast<std::uint8_t>(flags);
        if (has(scope_cancel_called)) [[unlikely]]
            set(scope_effective);
    }

    /// Brings scopes that are apart into the tree if they are many: those that are, and one
    /// sleep, are promised room in the queue of deadlines.
    static void limit_apart(loop_state& loop, cancel_status& innermost) noexcept;
    void forget_cause() noexcept;
    void note_wait() noexcept;
    void start_deadline(loop_state& loop);
    void leave_tree(loop_state& loop) noexcept;
    void link(cancel_status& parent) noexcept;
    void unlink() noexcept;
    void refresh() noexcept;
    bool update(bool forced) noexcept;
    void deliver() noexcept;
    void refresh_tree(bool forced) noexcept;
    [[nodiscard]] cancel_status*
    next_in_tree(cancel_status* root, bool descend) noexcept;

    void set(scope_flag flag) noexcept {
        flags_ = static_cast<std::uint8_t>(flags_ | flag);
    }

    void clear(scope_flag flag) noexcept {
        flags_ = static_cast<std::uint8_t>(flags_ & ~flag);
    }

    std::uint8_t flags_ = 0;
    bool relative_ = false;  ///< deadline_ counts from the entry, which is to come
    bool fails_ = false;
    cancel_status* parent_ = nullptr;
    task_state* host_ = nullptr;
    group_state* group_ = nullptr;
    cancel_status* first_child_ = nullptr;
    cancel_status* last_child_ = nullptr;
    cancel_status* next_ = nullptr;
    cancel_status* prev_ = nullptr;
    time_point deadline_ = never;
    scope_timer deadline_timer_;
    const cancel_cause* cause_ = nullptr;
};

}  // namespace anyio::lowlevel
