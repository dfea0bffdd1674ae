// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// task_handle<T>: result, exception or cancellation of one child.
/// Manual: docs/manual/tasks.md#handles

#include <anyio/basics/task.hpp>
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
    std::source_location site;  ///< of the first frame, once that has gone

    /// Gives the child a scope of its own, inside its group's.
    void attach(lowlevel::task_state& child) noexcept;
    /// Remembers the end and wakes the waiters.
    void finish(
        lowlevel::task_state& child,
        lowlevel::task_end& how,
        std::exception_ptr& failure
    ) noexcept;
    [[nodiscard]] task_handle_status status() const noexcept;
    [[nodiscard]] lowlevel::park_operation wait() noexcept;
    [[nodiscard]] std::string name() const;
    /// @throws task_not_finished, task_failed, task_cancelled
    void check() const;
    /// @throws task_not_finished, task_cancelled
    [[nodiscard]] std::exception_ptr exception() const;
    /// The handle has gone.
    void release() noexcept;
};

template <class T>
struct typed_handle_state : handle_state {
    result_slot<T> result;
};

/// @tparam Take  the handle goes away, so the value is moved out of it
template <class T, bool Take>
class [[nodiscard]] handle_await final : public lowlevel::awaitable_base {
public:
    explicit handle_await(typed_handle_state<T>& state) noexcept
        : state_(&state), wait_(state.wait()) {}

    [[nodiscard]] bool await_ready() noexcept { return wait_.await_ready(); }

    void await_suspend(std::coroutine_handle<> handle) noexcept {
        wait_.await_suspend(handle);
    }

    // A T& or void stays what it is.
    std::conditional_t<Take, T, std::add_lvalue_reference_t<std::add_const_t<T>>>
    await_resume() const {
        state_->check();
        if constexpr (std::is_reference_v<T>)
            return static_cast<T>(*state_->result.value);
        else if constexpr (Take)
            return state_->result.take();
        else if constexpr (!std::is_void_v<T>)
            return static_cast<const T&>(state_->result.value);
    }

private:
    typed_handle_state<T>* state_;
    lowlevel::park_operation wait_;
};

}  // namespace detail

/// One child of a task group, as task_group::create_task returned it.
///
/// Dropping the handle changes nothing for the child: its group waits for it. The handle
/// may outlive the group; then it still knows the result. **A child that fails cancels
/// its group and is in the group's exception_group, also if somebody has awaited the
/// handle and caught the error.**
///
/// @threads  loop
/// @anyio    anyio.TaskHandle
template <class T = void>
class task_handle {
public:
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

    [[nodiscard]] task_handle_status status() const noexcept {
        return state_->status();
    }

    /// Cancels this task alone. Does nothing once it has ended. A task that has not begun
    /// still runs to its first checkpoint.
    ///
    /// @checkpoint    never
    /// @cancellation  none
    void cancel(
        std::string_view reason = {},
        std::source_location where = std::source_location::current()
    ) noexcept {
        if (!state_->ended)
            state_->scope.cancel(reason, where);
    }

    /// Waits until the task has ended, however that is.
    ///
    /// @checkpoint    always
    /// @cancellation  atomic: the task goes on
    /// @allocates     nothing
    [[nodiscard]] lowlevel::park_operation wait() noexcept { return state_->wait(); }

    /// Waits for the result: `const auto& v = co_await handle;`
    ///
    /// @returns  a reference to the value, which lives as long as the handle; the value
    ///           itself for a handle that is a temporary, or `std::move(handle)`
    /// @throws   task_failed     if the task failed; caused by its error
    /// @throws   task_cancelled  if it was cancelled
    /// @checkpoint    always
    /// @cancellation  atomic: the task goes on
    /// @allocates     nothing
    [[nodiscard]] detail::handle_await<T, false> operator co_await() const& noexcept {
        return detail::handle_await<T, false>(*state_);
    }

    [[nodiscard]] detail::handle_await<T, true> operator co_await() && noexcept {
        return detail::handle_await<T, true>(*state_);
    }

    /// The value of a task that has ended: a reference to it, or itself if the handle goes.
    ///
    /// @throws task_not_finished  if it has not
    /// @throws task_failed, task_cancelled  as co_await
    [[nodiscard]] decltype(auto) result() const& {
        state_->check();
        if constexpr (std::is_reference_v<T>)
            return static_cast<T>(*state_->result.value);
        else if constexpr (!std::is_void_v<T>)
            return static_cast<const T&>(state_->result.value);
    }

    [[nodiscard]] T result() && {
        state_->check();
        return state_->result.take();
    }

    /// The error of a task that has ended; null if it returned.
    ///
    /// @throws task_not_finished  if it has not ended
    /// @throws task_cancelled     if it was cancelled
    [[nodiscard]] std::exception_ptr exception() const { return state_->exception(); }

    /// As given, or after the task's function.
    [[nodiscard]] std::string name() const { return state_->name(); }

    /// For those who build task groups.
    explicit task_handle(detail::typed_handle_state<T>& state) noexcept
        : state_(&state) {}

private:
    detail::typed_handle_state<T>* state_;
};

}  // namespace anyio
