// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The promise of an async_generator, and what is awaited in its consumer.

#include <anyio/basics/task.hpp>

#include <concepts>
#include <coroutine>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace anyio {

template <class T>
class async_generator;

template <class T>
struct moved_item;

namespace detail {

/// Where a generator puts what it yields: in the frame of whoever awaits next().
template <class T>
struct item_slot : frame_owner {
    static_assert(
        !std::is_rvalue_reference_v<T> && !std::is_void_v<T>,
        "async_generator<T>: T is a value or an lvalue reference"
    );
    using item_type = std::conditional_t<
        std::is_reference_v<T>,
        std::add_pointer_t<T>,
        std::optional<std::remove_cvref_t<T>>>;

    item_slot() noexcept {}

    item_slot(const item_slot&) = delete;  // the generator holds its address
    item_slot& operator=(const item_slot&) = delete;

    template <class U>
    void put(U&& value) {
        if constexpr (std::is_reference_v<T>)
            item = __builtin_addressof(value);
        else
            item.emplace(std::forward<U>(value));
    }

    item_type item{};
};

/// Goes back to whoever awaits next(): by returning, if it called the generator and that
/// has not suspended since; otherwise it has to be resumed.
class yield_awaiter {
public:
    ANYIO_ALWAYS_INLINE explicit yield_awaiter(frame_link& yielding) noexcept
        : called_(yielding.owner->stage == lowlevel::frame_stage::nested),
          consumer_(yielding.parent) {
        yielding.owner->child = nullptr;  // it lives on without this next()
        yielding.owner = nullptr;
    }

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    ANYIO_ALWAYS_INLINE std::coroutine_handle<>
    await_suspend(std::coroutine_handle<>) const noexcept {
        if (called_)
            return std::noop_coroutine();
        return transfer(*lowlevel::this_loop, consumer_);
    }

    void await_resume() const noexcept {}

private:
    bool called_;
    frame_link* consumer_;
};

/// Knows the object that owns the frame and tells it when the frame goes, whoever
/// destroys it: the object, the end of the coroutine, or a cancellation.
class generator_promise_base : public promise_base {
public:
    generator_promise_base() noexcept { owner = nullptr; }  // nobody awaits next()

    generator_promise_base(const generator_promise_base&) = delete;
    generator_promise_base& operator=(const generator_promise_base&) = delete;

    ~generator_promise_base() {
        if (handle)
            *handle = nullptr;
    }

    void return_void() const noexcept {}

    generator_promise_base** handle = nullptr;  ///< in the async_generator
};

template <class T>
class generator_promise final : public generator_promise_base {
public:
    explicit generator_promise(
        location_pointer where = __builtin_source_location()
    ) noexcept {
        site = site_of(where);
    }

    [[nodiscard]] async_generator<T> get_return_object() noexcept;

    template <class U = std::remove_cvref_t<T>>
        requires(std::is_reference_v<T> ? std::convertible_to<U &&, T> : std::constructible_from<std::remove_cvref_t<T>, U>)
    [[nodiscard]] yield_awaiter
    yield_value(U&& value, location_pointer where = __builtin_source_location()) {
        static_assert(
            !std::is_reference_v<T> ||
                std::convertible_to<std::remove_reference_t<U>*, std::add_pointer_t<T>>,
            "co_yield to an async_generator of references takes an object of that very "
            "type, not one that converts to it: the result would refer to a temporary"
        );
        static_assert(
            !ANYIO_BUG_TEMPORARIES_IN_AWAIT || std::is_lvalue_reference_v<U> ||
                std::is_trivially_destructible_v<U> || !std::is_aggregate_v<U>,
            "g++ 12 destroys an aggregate temporary in a co_yield expression twice; give "
            "the class a constructor, or name the object and co_yield moved(object)"
        );
        return yield(std::forward<U>(value), where);
    }

    template <class U>
        requires(!std::is_reference_v<T> && std::constructible_from<std::remove_cvref_t<T>, U>)
    [[nodiscard]] yield_awaiter yield_value(
        moved_item<U> item, location_pointer where = __builtin_source_location()
    ) {
        return yield(std::move(item.value), where);
    }

private:
    template <class U>
    ANYIO_ALWAYS_INLINE yield_awaiter yield(U&& value, location_pointer where) {
        static_cast<item_slot<T>*>(owner)->put(std::forward<U>(value));
        site = site_of(where);
        return yield_awaiter(*this);
    }
};

[[noreturn]] void throw_generator_busy(const frame_link& generator);
void generator_dropped_while_running(const frame_link& generator) noexcept;

/// See async_generator::next().
template <class T>
class [[nodiscard]] generator_next_operation final : public lowlevel::awaitable_base,
                                                     public item_slot<T> {
public:
    explicit generator_next_operation(generator_promise_base* generator) noexcept
        : generator_(generator) {}

    ~generator_next_operation() {
        if (this->child)
            handle_of(this->child).destroy();
    }

    void attach(frame_link& parent) noexcept { parent_ = &parent; }

    /// @throws busy_resource_error  if another task waits in next()
    [[nodiscard]] bool await_ready() {
        loop_state& loop = *lowlevel::this_loop;
        if (cancelled(*loop.current)) [[unlikely]]
            return false;
        state_ = state::complete;
        if (generator_) [[likely]] {
            if (generator_->owner) [[unlikely]]
                throw_generator_busy(*generator_);
            generator_->owner = this;
            generator_->parent = parent_;
            this->child = generator_;
            if (!call_frame(loop, *this)) {
                state_ = state::running;
                return false;
            }
        }
        return spend_budget(loop);
    }

    void await_suspend(lowlevel::awaiting_frame handle) noexcept {
        loop_state& loop = *lowlevel::this_loop;
        if (state_ == state::running) [[likely]]
            return leave_frame(loop, *this);
        frame_link* const leaf = lowlevel::link_of(handle);
        if (state_ == state::complete)
            budget_spent(loop, leaf);  // has its item: rule K2, no longer cancellable
        else
            unwind_now(loop, leaf);
    }

    typename item_slot<T>::item_type await_resume() {
        if (this->child) {  // it ended after it had suspended
            handle_of(this->child).destroy();
            this->child = nullptr;
        }
        if (this->error) [[unlikely]]
            std::rethrow_exception(std::move(this->error));
        return std::move(this->item);
    }

private:
    enum class state : std::uint8_t { cancelled, running, complete };

    generator_promise_base* generator_;  // null: it has ended
    frame_link* parent_ = nullptr;
    state state_ = state::cancelled;
};

}  // namespace detail

}  // namespace anyio
