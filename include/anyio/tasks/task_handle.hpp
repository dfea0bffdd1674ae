// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// task_handle<T>: result, exception or cancellation of one child.
/// Manual: docs/manual/tasks.md#handles

#include <anyio/basics/task.hpp>
#include <anyio/lowlevel/cancel_cause.hpp>
#include <anyio/lowlevel/parking_lot.hpp>
#include <anyio/lowlevel/spawn.hpp>

#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace anyio {

/// @anyio  anyio.TaskHandle.status
enum class task_handle_status : std::uint8_t {
    pending,
    cancelling,  ///< cancelled, but not ended yet
    finished,
    cancelled,
    failed,
};

namespace detail {

/// The part of a child's record that its handle looks at.
struct handle_state {
    lowlevel::task_state* task = nullptr;
    lowlevel::cancel_status scope;  ///< of this task alone
    lowlevel::parking_lot waiters;
    std::exception_ptr error;
    bool ended = false;
    lowlevel::task_end end{};
    bool by_deadline = false;   ///< what cancelled it
    std::uint32_t holders = 1;  ///< the handle, and who waits
    std::source_location site;  ///< of the first frame, once that has gone
    const lowlevel::cancel_cause* cause = nullptr;  ///< why it was cancelled

    ~handle_state();

    /// Gives the child a scope of its own, inside its group's.
    void attach(lowlevel::task_state& child) noexcept;
    /// Remembers the end and wakes the waiters.
    void finish(
        lowlevel::task_state& child,
        lowlevel::task_end& how,
        std::exception_ptr& failure
    ) noexcept;
    [[nodiscard]] task_handle_status status() const noexcept;
    [[nodiscard]] std::string name() const;
    /// @throws task_not_finished, task_failed, task_cancelled
    void check() const;
    /// @throws task_not_finished, task_cancelled
    [[nodiscard]] std::exception_ptr exception() const;

    void hold() noexcept { ++holders; }

    /// The handle has gone, or one that waited.
    void release() noexcept {
        if (--holders == 0)
            forget();
    }

    /// Nobody looks at the record any more.
    void forget() noexcept;
};

/// @throws usage_error  if a handle has no task
[[noreturn]] void throw_empty_handle(const char* operation);

template <class T>
struct typed_handle_state : handle_state {
    result_slot<T> result;
};

/// Waits for the end of a task. The record lives until the last one that waits has gone.
class [[nodiscard]] handle_wait : public lowlevel::leaf_base {
public:
    explicit handle_wait(handle_state& state) noexcept
        : state_(&state), wait_(state.waiters, kind_, state.ended) {
        state.hold();
    }

    ~handle_wait() { state_->release(); }

    [[nodiscard]] bool await_ready() const noexcept { return wait_.await_ready(); }

    void await_suspend(lowlevel::awaiting_frame handle) noexcept {
        wait_.await_suspend(handle);
    }

    void await_resume() const noexcept {}

protected:
    static const lowlevel::wait_kind kind_;

    handle_state* state_;

private:
    lowlevel::park_operation wait_;
};

/// @tparam Take  the handle goes away, so the value is moved out of it
template <class T, bool Take>
class [[nodiscard]] handle_await final : public handle_wait {
public:
    explicit handle_await(typed_handle_state<T>& state) noexcept : handle_wait(state) {}

    // A T& or void stays what it is.
    std::conditional_t<Take, T, std::add_lvalue_reference_t<std::add_const_t<T>>>
    await_resume() const {
        auto& state = static_cast<typed_handle_state<T>&>(*state_);
        state.check();
        if constexpr (std::is_reference_v<T>)
            return static_cast<T>(*state.result.value);
        else if constexpr (Take)
            return state.result.take();
        else if constexpr (!std::is_void_v<T>)
            return static_cast<const T&>(state.result.value);
    }
};

}  // namespace detail

/// One child of a task group, as task_group::create_task returned it.
///
/// Dropping the handle changes nothing for the child: its group waits for it. The handle
/// may outlive the group; then it still knows the result. **A child that fails cancels
/// its group and is in the group's exception_group, also if somebody has awaited the
/// handle and caught the error.**
///
/// A handle that was default-constructed or moved from has no task. cancel() does nothing
/// then; whatever asks for something throws usage_error.
///
/// @threads  loop
/// @anyio    anyio.TaskHandle
template <class T = void>
class task_handle {
public:
    /// Without a task.
    task_handle() noexcept = default;

    task_handle(task_handle&& other) noexcept
        : state_(std::exchange(other.state_, nullptr)) {}

    task_handle& operator=(task_handle&& other) noexcept {
        task_handle taken(std::move(other));  // what this was goes with it
        std::swap(state_, taken.state_);
        return *this;
    }

    ~task_handle() {
        if (state_)
            state_->release();
    }

    /// Whether it has a task.
    [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }

    /// @throws usage_error  if there is no task
    [[nodiscard]] task_handle_status status() const { return state().status(); }

    /// Cancels this task alone. Does nothing once it has ended. A task that has not begun
    /// still runs to its first checkpoint.
    ///
    /// @checkpoint    never
    /// @cancellation  none
    void cancel(
        std::string_view reason = {},
        std::source_location where = std::source_location::current()
    ) noexcept {
        if (state_ && !state_->ended)
            state_->scope.cancel(reason, where);
    }

    /// Waits until the task has ended, however that is. The handle may be dropped or moved
    /// meanwhile.
    ///
    /// @throws usage_error  if there is no task
    /// @checkpoint    always
    /// @cancellation  atomic: the task goes on
    /// @allocates     nothing
    [[nodiscard]] detail::handle_wait wait() const {
        return detail::handle_wait(state("task_handle::wait"));
    }

    /// Waits for the result: `const auto& v = co_await handle;`
    ///
    /// @returns  a reference to the value, which lives as long as the handle; the value
    ///           itself for a handle that is a temporary, or `std::move(handle)`
    /// @throws   task_failed     if the task failed; caused by its error
    /// @throws   task_cancelled  if it was cancelled; says why
    /// @throws   usage_error     if there is no task
    /// @checkpoint    always
    /// @cancellation  atomic: the task goes on
    /// @allocates     nothing
    [[nodiscard]] detail::handle_await<T, false> operator co_await() const& {
        return detail::handle_await<T, false>(state("co_await task_handle"));
    }

    [[nodiscard]] detail::handle_await<T, true> operator co_await() && {
        return detail::handle_await<T, true>(state("co_await task_handle"));
    }

    /// The value of a task that has ended: a reference to it, or itself if the handle goes.
    ///
    /// @throws task_not_finished  if it has not
    /// @throws task_failed, task_cancelled  as co_await
    [[nodiscard]] decltype(auto) result() const& {
        auto& kept = state("task_handle::result");
        kept.check();
        if constexpr (std::is_reference_v<T>)
            return static_cast<T>(*kept.result.value);
        else if constexpr (!std::is_void_v<T>)
            return static_cast<const T&>(kept.result.value);
    }

    [[nodiscard]] T result() && {
        auto& kept = state("task_handle::result");
        kept.check();
        return kept.result.take();
    }

    /// The error of a task that has ended; null if it returned.
    ///
    /// @throws task_not_finished  if it has not ended
    /// @throws task_cancelled     if it was cancelled
    /// @throws usage_error        if there is no task
    [[nodiscard]] std::exception_ptr exception() const {
        return state("task_handle::exception").exception();
    }

    /// As given, or after the task's function.
    ///
    /// @throws usage_error  if there is no task
    [[nodiscard]] std::string name() const { return state("task_handle::name").name(); }

    /// For those who build task groups.
    explicit task_handle(detail::typed_handle_state<T>& state) noexcept
        : state_(&state) {}

private:
    [[nodiscard]] detail::typed_handle_state<T>&
    state(const char* operation = "task_handle::status") const {
        if (!state_) [[unlikely]]
            detail::throw_empty_handle(operation);
        return *state_;
    }

    detail::typed_handle_state<T>* state_ = nullptr;
};

/// A child that task_group::start_task() has started, and what it gave to started().
///
/// @anyio  anyio.TaskHandle.start_value
template <class T, class V>
struct started_task {
    task_handle<T> handle;
    V start_value;
};

}  // namespace anyio
