// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Where an awaited coroutine leaves its outcome, and how it is called.

#include <anyio/lowlevel/loop_state.hpp>

#include <coroutine>
#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace anyio::detail {

using lowlevel::frame_link;
using lowlevel::frame_owner;
using lowlevel::loop_state;
using lowlevel::max_alignment;

template <class T>
inline constexpr bool is_over_aligned = alignof(T) > max_alignment;
template <class T>
inline constexpr bool is_over_aligned<T&> = false;
template <class T>
inline constexpr bool is_over_aligned<T&&> = false;

/// What the frame of a coroutine can have as parameters. A throwing destructor would leave
/// its other parameters and its memory behind: g++ goes no further.
template <class... P>
constexpr void check_frame_parameters() {
    static_assert(
        (std::is_nothrow_destructible_v<P> && ...),
        "a parameter of a coroutine whose destructor may throw: the end of a frame cannot "
        "report errors; take it by reference, or make the destructor noexcept"
    );
    static_assert(
        (!is_over_aligned<P> && ...),
        "a parameter of a coroutine that is over-aligned: frames of coroutines are aligned "
        "to 16 bytes; take it by reference, or in a container such as std::unique_ptr"
    );
}

/// Where an awaited task<T> puts its value: in the frame of whoever awaits it.
template <class T>
struct result_slot : frame_owner {
    static_assert(!std::is_rvalue_reference_v<T>, "task<T&&>: return a value instead");
    static_assert(
        alignof(std::conditional_t<std::is_reference_v<T>, void*, T>) <= max_alignment,
        "task<T>: the type of the result is over-aligned, and frames of coroutines are "
        "aligned to 16 bytes; return it in a container, such as std::unique_ptr<T>"
    );
    using stored = std::conditional_t<
        std::is_reference_v<T>,
        std::add_pointer_t<std::remove_reference_t<T>>,
        std::remove_const_t<T>>;

    result_slot() noexcept {}

    ~result_slot() {
        if constexpr (!std::is_trivially_destructible_v<stored>)
            if (has_value)
                value.~stored();
    }

    result_slot(const result_slot&) = delete;  // the coroutine holds its address
    result_slot& operator=(const result_slot&) = delete;

    template <class U>
    void set(U&& result) {
        // A `co_return` before this one whose scope threw on the way out.
        if constexpr (!std::is_trivially_destructible_v<stored>)
            if (has_value) [[unlikely]]
                drop();
        if constexpr (std::is_reference_v<T>)
            new (&value) stored(__builtin_addressof(result));
        else
            new (&value) stored(std::forward<U>(result));
        has_value = true;
    }

    T take() {
        if constexpr (std::is_reference_v<T>)
            return *value;
        else
            return std::move(value);
    }

    void drop() noexcept {
        has_value = false;
        value.~stored();
    }

    bool has_value = false;  // in the padding of the owner

    union {
        stored value;
    };
};

template <>
struct result_slot<void> : frame_owner {
    void take() const noexcept {}
};

/// Runs `owner.child` until it suspends or ends; true: it has ended, and is gone.
[[nodiscard]] ANYIO_ALWAYS_INLINE bool
call_frame(const loop_state& loop, frame_owner& owner) noexcept {
    if (!stack_is_shallow(loop)) [[unlikely]]
        return false;
    owner.stage = lowlevel::frame_stage::nested;
    handle_of(owner.child).resume();
    if (!owner.child)
        return true;
    owner.stage = lowlevel::frame_stage::suspended;
    return false;
}

/// After call_frame() said false, when the awaiting frame has been suspended.
ANYIO_ALWAYS_INLINE void leave_frame(loop_state& loop, frame_owner& owner) noexcept {
    if (owner.stage != lowlevel::frame_stage::unstarted) [[likely]]
        return;
    owner.stage = lowlevel::frame_stage::suspended;
    continue_with(loop, owner.child);
}

/// Records the exception in flight, and where in the call chain it began.
void note_exception(frame_link& link) noexcept;
/// For a task that has been awaited already, or moved from.
[[nodiscard]] std::exception_ptr spent_task_error() noexcept;
[[noreturn]] void throw_spent_task();
/// A task that was never awaited; reports it in debug builds.
void drop_unstarted(frame_link& link) noexcept;

}  // namespace anyio::detail
