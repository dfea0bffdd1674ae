// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// future<T>: a value that another task supplies.
/// Manual: docs/manual/synchronization.md#futures

#include <anyio/lowlevel/parking_lot.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace anyio {

/// @anyio  anyio.Future.status
enum class future_status : std::uint8_t {
    pending,
    finished,
    failed,
    cancelled,
};

namespace detail {

/// The part of a future that does not depend on the value.
class future_core {
public:
    explicit future_core(std::string_view name) : name_(name) {}

    [[nodiscard]] lowlevel::park_operation wait() noexcept;
    /// @throws future_already_finished, future_cancelled  unless it is pending
    void require_pending() const;
    void finish(future_status how) noexcept;
    void fail(std::exception_ptr error);
    /// @throws future_not_finished, future_failed, future_cancelled
    void check() const;
    /// @throws future_not_finished, future_cancelled
    [[nodiscard]] std::exception_ptr exception() const;

    [[nodiscard]] future_status status() const noexcept { return status_; }

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

private:
    [[nodiscard]] std::string subject() const;

    lowlevel::parking_lot waiters_;  // empty unless pending
    std::exception_ptr error_;
    std::string name_;
    future_status status_ = future_status::pending;
};

/// Waits for the value, which `slot` will hold; void if there is none to hold.
template <class T>
class [[nodiscard]] future_await final : public lowlevel::awaitable_base {
    using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

public:
    future_await(future_core& core, const std::optional<stored>& slot) noexcept
        : core_(&core), slot_(&slot), wait_(core.wait()) {}

    [[nodiscard]] bool await_ready() noexcept { return wait_.await_ready(); }

    void await_suspend(lowlevel::awaiting_frame handle) noexcept {
        wait_.await_suspend(handle);
    }

    std::add_lvalue_reference_t<std::add_const_t<T>> await_resume() const {
        core_->check();
        if constexpr (!std::is_void_v<T>)
            return **slot_;
    }

private:
    future_core* core_;
    const std::optional<stored>* slot_;
    lowlevel::park_operation wait_;
};

}  // namespace detail

/// A value that is set once, by whoever has it, and that any number of tasks may wait for.
///
/// ```
/// future<int> port;
/// port.set_value(80);                     // in one task
/// const int& number = co_await port;      // in others
/// ```
///
/// Where a task of its own makes the value, its task_handle is the better future: it
/// cannot be forgotten. A future that nobody sets keeps its waiters for ever, and the
/// deadlock report names them.
///
/// May be made before a loop runs, and outlive it. T is void, or an object.
///
/// @threads  loop. From other threads: event_loop_token
/// @anyio    anyio.Future
/// @example  docs/snippets/synchronization/future.cpp
template <class T = void>
class future {
    static_assert(!std::is_reference_v<T>, "future<T&>: a future<T*> says the same");
    static_assert(
        alignof(std::conditional_t<std::is_void_v<T>, char, T>) <=
            lowlevel::max_alignment,
        "future<T>: T is over-aligned, and frames of coroutines, where futures live, are "
        "aligned to 16 bytes; use a future<std::unique_ptr<T>>"
    );
    using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

public:
    /// @param name  for errors; copied
    explicit future(std::string_view name = {}) : core_(name) {}

    future(const future&) = delete;  // waiting tasks hold its address
    future& operator=(const future&) = delete;

    /// Gives it its value, and makes the tasks that wait runnable, oldest first.
    ///
    /// @throws future_already_finished  if it has a value or an error
    /// @throws future_cancelled         if it has been cancelled
    /// @throws what making the T throws; then nothing has changed
    /// @checkpoint    never
    /// @cancellation  none
    template <class U = T>
        requires(!std::is_void_v<T> && std::is_constructible_v<stored, U>)
    void set_value(U&& value) {
        core_.require_pending();
        value_.emplace(std::forward<U>(value));
        core_.finish(future_status::finished);
    }

    void set_value()
        requires(std::is_void_v<T>)
    {
        core_.require_pending();
        core_.finish(future_status::finished);
    }

    /// Gives it an error instead: who waits gets a future_failed, caused by it.
    ///
    /// @throws usage_error  if it is null
    /// @throws future_already_finished, future_cancelled  as set_value()
    /// @checkpoint    never
    /// @cancellation  none
    void set_exception(std::exception_ptr error) { core_.fail(std::move(error)); }

    template <class E>
        requires(!std::is_convertible_v<E &&, std::exception_ptr>)
    void set_exception(E&& error) {
        core_.fail(std::make_exception_ptr(std::forward<E>(error)));
    }

    /// There will be no value: who waits gets a future_cancelled. Does nothing if it has a
    /// value, an error, or has been cancelled.
    ///
    /// @checkpoint    never
    /// @cancellation  none
    void cancel() noexcept {
        if (core_.status() == future_status::pending)
            core_.finish(future_status::cancelled);
    }

    /// Waits until it is not pending, whatever it is then.
    ///
    /// @throws        nothing
    /// @checkpoint    always
    /// @cancellation  atomic: the future and others who wait go on
    /// @allocates     nothing
    [[nodiscard]] lowlevel::park_operation wait() noexcept { return core_.wait(); }

    /// Waits for the value: `const auto& v = co_await f;`
    ///
    /// @returns  a reference to the value, which lives as long as the future
    /// @throws   future_failed     if it was given an error; caused by that
    /// @throws   future_cancelled  if it was cancelled
    /// @checkpoint    always
    /// @cancellation  atomic: the future and others who wait go on
    /// @allocates     nothing
    [[nodiscard]] detail::future_await<T> operator co_await() noexcept {
        return {core_, value_};
    }

    /// The value.
    ///
    /// @throws future_not_finished  if it is pending
    /// @throws future_failed, future_cancelled  as co_await
    [[nodiscard]] std::add_lvalue_reference_t<std::add_const_t<T>> result() const {
        core_.check();
        if constexpr (!std::is_void_v<T>)
            return *value_;
    }

    /// The error; null if it has a value.
    ///
    /// @throws future_not_finished  if it is pending
    /// @throws future_cancelled     if it was cancelled
    [[nodiscard]] std::exception_ptr exception() const { return core_.exception(); }

    [[nodiscard]] future_status status() const noexcept { return core_.status(); }

    [[nodiscard]] const std::string& name() const noexcept { return core_.name(); }

private:
    std::optional<stored> value_;
    detail::future_core core_;
};

}  // namespace anyio
