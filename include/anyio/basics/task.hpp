// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// task<T>: what "async def" is in Python. Manual: docs/manual/tasks.md

#include <anyio/basics/detail/result_slot.hpp>
#include <anyio/lowlevel/operation.hpp>
#include <anyio/lowlevel/spawn.hpp>

#include <concepts>
#include <coroutine>
#include <new>
#include <type_traits>
#include <utility>

namespace anyio {

template <class T>
class task;

namespace detail {

template <class T>
class promise;

/// A coroutine that ended without having suspended was called by the frame that awaits
/// it, and returns there, gone; the first of a task returns to the scheduler, gone; any
/// other resumes its parent, which takes its result and destroys it.
class final_awaiter {
public:
    ANYIO_ALWAYS_INLINE explicit final_awaiter(const frame_link& ended) noexcept
        : ready_(ended.owner->stage != lowlevel::frame_stage::suspended) {
        frame_owner& owner = *ended.owner;
        if (owner.stage == lowlevel::frame_stage::nested) {
            owner.child = nullptr;
        } else if (owner.stage == lowlevel::frame_stage::first) {
            loop_state& loop = *lowlevel::this_loop;
            loop.ended_site = ended.site;
            loop.after |= lowlevel::after_step_finish;
        }
    }

    [[nodiscard]] bool await_ready() const noexcept { return ready_; }

    ANYIO_ALWAYS_INLINE std::coroutine_handle<>
    await_suspend(std::coroutine_handle<> handle) const noexcept {
        return transfer(*lowlevel::this_loop, lowlevel::link_of(handle)->parent);
    }

    void await_resume() const noexcept {}

private:
    bool ready_;
};

/// What a std::source_location is made of. As a default argument it needs no place in the
/// frame; a std::source_location would have one for each `co_await`.
using location_pointer = decltype(__builtin_source_location());

[[nodiscard]] ANYIO_ALWAYS_INLINE std::source_location
site_of(location_pointer where) noexcept {
    static_assert(sizeof(std::source_location) == sizeof where);
    return __builtin_bit_cast(std::source_location, where);
}

template <class T>
class [[nodiscard]] task_awaiter;

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<task<T>> = true;

template <class T>
concept has_await_operator =
    requires(T&& object) { std::forward<T>(object).operator co_await(); };

template <class T>
inline constexpr bool always_false = false;

/// What a coroutine of another library would await. Our own know tasks.
struct [[nodiscard]] task_in_foreign_coroutine {
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise>) const noexcept {
        static_assert(
            always_false<Promise>,
            "a task can be awaited in a coroutine that returns anyio::task<...> or "
            "anyio::async_generator<...>, and in no other: only the loop of anyio knows "
            "how to resume it"
        );
    }

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    void await_resume() const noexcept {}
};

/// An operation that stays where it was made: g++ 12 copies what await_transform returns,
/// even a reference.
template <class A>
struct [[nodiscard]] awaiter_reference {
    [[nodiscard]] ANYIO_ALWAYS_INLINE bool await_ready() {
        return awaited.await_ready();
    }

    ANYIO_ALWAYS_INLINE auto await_suspend(lowlevel::awaiting_frame handle) {
        return awaited.await_suspend(handle);
    }

    ANYIO_ALWAYS_INLINE decltype(auto) await_resume() { return awaited.await_resume(); }

    A& awaited;
};

/// What every task promise is, whatever it returns.
class promise_base : public frame_link {
public:
    static void* operator new(std::size_t size) {
        return lowlevel::allocate_frame(size);
    }

    static void operator delete(void* frame, std::size_t size) noexcept {
        lowlevel::free_frame(frame, size);
    }

    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }

    [[nodiscard]] final_awaiter final_suspend() noexcept {
        return final_awaiter(*this);
    }

    void unhandled_exception() noexcept { note_exception(*this); }

    template <class T>
    [[nodiscard]] ANYIO_ALWAYS_INLINE task_awaiter<T> await_transform(
        task<T>&& awaited, location_pointer where = __builtin_source_location()
    ) noexcept {
        site = site_of(where);
        return task_awaiter<T>(awaited, *this);
    }

    template <lowlevel::awaiter A>
    [[nodiscard]] ANYIO_ALWAYS_INLINE auto await_transform(
        A&& awaited, location_pointer where = __builtin_source_location()
    ) noexcept {
        static_assert(
            !std::is_lvalue_reference_v<A>,
            "await an operation where you make it: co_await event.wait(); it holds "
            "references to its arguments, so it must not be kept in a variable"
        );
        site = site_of(where);
        static_assert(
            alignof(std::remove_reference_t<A>) <= max_alignment,
            "this operation, or a value in it, is over-aligned, and frames of coroutines "
            "are aligned to 16 bytes; pass the value in a container, such as "
            "std::unique_ptr"
        );
        if constexpr (requires { awaited.attach(*this); })
            awaited.attach(*this);
        if constexpr (std::is_empty_v<A>)
            return A();  // as good as the other, and needs no place in the frame
        else
            return awaiter_reference<A>{awaited};
    }

    template <has_await_operator A>
        requires(!lowlevel::awaiter<A> && !is_task<std::remove_cvref_t<A>>)
    [[nodiscard]] decltype(auto)
    await_transform(A&& awaited, location_pointer where = __builtin_source_location()) {
        site = site_of(where);
        return std::forward<A>(awaited).operator co_await();
    }

    template <class T>
    std::suspend_never yield_value(T&&) {
        static_assert(
            always_false<T>,
            "co_yield is only for async_generator<T>; inside with(...) or try_(...) a "
            "generator cannot yield: the block would stay open while others run. Collect "
            "in the block and yield after it, or send to a memory object stream"
        );
        return {};
    }

    template <class T>
    void await_transform(task<T>&) {
        static_assert(
            always_false<T>,
            "a task is awaited once, where it is made: co_await f(x); a task in a "
            "variable needs co_await std::move(t)"
        );
    }

    template <class A>
        requires(!lowlevel::awaiter<A> && !has_await_operator<A> && !is_task<std::remove_cvref_t<A>>)
    std::suspend_never await_transform(A&&) {
        static_assert(
            always_false<A>,
            "this type cannot be awaited in an anyio task; await task<T>, the operations "
            "of anyio, or your own operation made with lowlevel::wait_task_rescheduled; "
            "a blocking call belongs in to_thread::run_sync"
        );
        return {};
    }
};

template <class T>
class promise final : public promise_base {
public:
    // Until it first awaits, a frame's site is its function: so tasks have a name at once.
    explicit promise(
        std::source_location where = std::source_location::current()
    ) noexcept {
        site = where;
    }

    [[nodiscard]] task<T> get_return_object() noexcept;

    template <class U = T>
        requires std::convertible_to<U, T> || std::constructible_from<T, U>
    void return_value(U&& value) {
        static_cast<result_slot<T>*>(owner)->set(std::forward<U>(value));
    }
};

template <>
class promise<void> final : public promise_base {
public:
    explicit promise(
        std::source_location where = std::source_location::current()
    ) noexcept {
        site = where;
    }

    [[nodiscard]] task<void> get_return_object() noexcept;

    void return_void() const noexcept {}
};

}  // namespace detail

/// A coroutine that runs when it is awaited, in the task that awaits it, or when it is
/// handed to a task group, as a task of its own.
///
/// It is lazy: a task that is neither awaited nor handed on does nothing, and in debug
/// builds says so. There is no way to detach one.
///
/// Parameters of coroutines live in the frame, so take them by value, or by reference to
/// what outlives the await. `T` may be void, a reference, or any movable type.
///
/// @throws        what the coroutine throws, when awaited
/// @throws usage_error  if it is awaited or handed on a second time, or after a move
/// @cancellation  unwinds the coroutine first, innermost frame first
/// @threads       loop; a task that has not begun may be made anywhere
/// @allocates     one frame, recycled
/// @anyio         async def
template <class T = void>
class [[nodiscard("a task does nothing until you co_await it or give its function to a "
                  "task group")]] task {
public:
    using promise_type = detail::promise<T>;
    using value_type = T;

    task(task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}

    task& operator=(task&& other) noexcept {
        task(std::move(other)).swap(*this);
        return *this;
    }

    ~task() {
        if (frame_) [[unlikely]]
            detail::drop_unstarted(*frame_);
    }

    void swap(task& other) noexcept { std::swap(frame_, other.frame_); }

    /// False once it has been awaited or moved from.
    [[nodiscard]] explicit operator bool() const noexcept { return frame_ != nullptr; }

    /// For coroutines of other libraries: says that they cannot await it.
    [[nodiscard]] detail::task_in_foreign_coroutine operator co_await() && noexcept {
        return {};
    }

    /// Gives up the frame; for those who build task groups. Null: it has none.
    [[nodiscard]] lowlevel::frame_link* release() noexcept {
        return std::exchange(frame_, nullptr);
    }

private:
    friend promise_type;

    explicit task(lowlevel::frame_link& frame) noexcept : frame_(&frame) {}

    lowlevel::frame_link* frame_;
};

namespace detail {

static_assert(alignof(promise<int>) <= 2 * sizeof(void*));

template <class T>
task<T> promise<T>::get_return_object() noexcept {
    return task<T>(*this);
}

inline task<void> promise<void>::get_return_object() noexcept {
    return task<void>(*this);
}

template <class T>
class [[nodiscard]] task_awaiter : public lowlevel::awaitable_base,
                                   public result_slot<T> {
public:
    task_awaiter(task<T>& awaited, frame_link& parent) noexcept {
        this->child = awaited.release();
        if (!this->child) [[unlikely]] {
            this->error = spent_task_error();
            return;
        }
        this->child->owner = this;
        this->child->parent = &parent;
    }

    ~task_awaiter() {
        if (this->child)
            handle_of(this->child).destroy();
    }

    /// Calls the coroutine. If it ends without suspending, which many do, nobody else
    /// has to be resumed, and the stack is where it was.
    [[nodiscard]] ANYIO_ALWAYS_INLINE bool await_ready() noexcept {
        if (!this->child) [[unlikely]]
            return true;
        return call_frame(*lowlevel::this_loop, *this);
    }

    ANYIO_ALWAYS_INLINE void await_suspend(lowlevel::awaiting_frame) noexcept {
        leave_frame(*lowlevel::this_loop, *this);
    }

    ANYIO_ALWAYS_INLINE T await_resume() {
        if (this->child) {
            handle_of(this->child).destroy();
            this->child = nullptr;
        }
        if (this->error) [[unlikely]]
            std::rethrow_exception(std::move(this->error));
        return this->take();
    }
};

}  // namespace detail

}  // namespace anyio

/// Functions that return a task<T> may be coroutines.
template <class T, class... P>
struct std::coroutine_traits<anyio::task<T>, P...> {
    static_assert((anyio::detail::check_frame_parameters<P...>(), true));

    using promise_type = anyio::detail::promise<T>;
};
