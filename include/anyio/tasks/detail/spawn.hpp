// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// spawn: makes a child out of a callable, its arguments, and what its handle needs.

#include <anyio/lowlevel/spawn.hpp>
#include <anyio/tasks/detail/task_call.hpp>

#include <cstddef>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

namespace anyio::detail {

/// For tasks that were made outside, of which this is number `index`.
///
/// @throws usage_error  if it has been awaited already, or was moved from
void require_unspent(const char* operation, std::size_t index, bool unspent);

/// A child without a handle.
struct no_extra {};

/// A child whose value nobody takes still needs a place for it.
template <class T>
struct unused_value {
    result_slot<T> result;
};

/// What lies before a child's record, and how it is destroyed.
template <class Extra, class F, class... Args>
struct child_memory {
    using call = task_call<F, Args...>;
    using value = task_value_t<F, Args...>;
    static constexpr bool has_handle = !std::is_same_v<Extra, no_extra>;
    using kept = std::conditional_t<
        std::is_same_v<Extra, no_extra> && !std::is_void_v<value>,
        unused_value<value>,
        Extra>;

    static constexpr std::size_t rounded(std::size_t size) {
        return (size + 31) / 32 * 32;
    }

    static constexpr std::size_t kept_size =
        std::is_empty_v<kept> ? 0 : (sizeof(kept) + 15) / 16 * 16;
    static constexpr std::size_t prefix =
        rounded(kept_size + (call::stored ? sizeof(call) : 0));
    static_assert(
        alignof(call) <= 16 && alignof(kept) <= 16,
        "start_soon(f, args...): over-aligned types are not supported as captures, "
        "arguments or results of a task; pass them by std::ref or in a container"
    );
    static_assert(
        prefix <= std::size_t{1} << 20,  // task_state::block_units counts up to 2 MiB
        "start_soon(f, args...): captures and arguments of more than 1 MiB are not "
        "supported; pass them by std::ref or in a container"
    );

    static char* base(lowlevel::task_state& task) noexcept {
        return reinterpret_cast<char*>(&task) - prefix;
    }

    static kept& kept_of(lowlevel::task_state& task) noexcept {
        return *std::launder(reinterpret_cast<kept*>(base(task)));
    }

    static call& call_of(lowlevel::task_state& task) noexcept {
        return *std::launder(reinterpret_cast<call*>(base(task) + kept_size));
    }

    static void ended(
        lowlevel::task_state& task, lowlevel::task_end& end, std::exception_ptr& error
    ) noexcept {
        if constexpr (has_handle)
            kept_of(task).finish(task, end, error);
    }

    static void destroy(lowlevel::task_state& task) noexcept {
        if constexpr (call::stored)
            call_of(task).~call();
        if constexpr (!has_handle && kept_size != 0)
            kept_of(task).~kept();
    }

    static void forget(lowlevel::task_state& task) noexcept {
        if constexpr (has_handle)
            kept_of(task).~kept();
    }

    static frame_owner& owner(lowlevel::task_state& task, loop_state& loop) noexcept {
        if constexpr (kept_size == 0)
            return loop.root_owner;
        else
            return kept_of(task).result;
    }

    static constexpr lowlevel::task_kind kind{
        has_handle ? &ended : nullptr,
        &owner,
        call::stored || (!has_handle && kept_size != 0) ? &destroy : nullptr,
        has_handle ? &forget : nullptr,
        static_cast<std::uint32_t>(prefix),
    };

    inline static lowlevel::frame_size_hint frame_size = 0;
};

/// Makes a child and hands its first frame to `adopt(task, first, owner)`.
///
/// @returns  what is kept with the child for its handle
template <class Extra, class F, class... Args, class Adopt, class G, class... A>
Extra* spawn(std::string_view name, Adopt adopt, G&& g, A&&... args) {
    using memory = child_memory<Extra, F, Args...>;
#if ANYIO_DEBUG
    if (!lowlevel::this_loop)
        lowlevel::throw_no_loop("task_group::start_soon");
#endif
    loop_state& loop = *lowlevel::this_loop;
    lowlevel::unborn_task child(loop, memory::kind, memory::frame_size);
    lowlevel::task_state& task = child.task();
    if constexpr (memory::kept_size != 0) {
        new (memory::base(task)) typename memory::kept;
        memory::kept_of(task).result.stage = lowlevel::frame_stage::first;
    }
    if constexpr (memory::call::stored) {
        auto* const call = new (memory::base(task) + memory::kept_size)
            typename memory::call(std::forward<G>(g), std::forward<A>(args)...);
        child.call_is_made();
        child.begin(*call);
    } else {
        typename memory::call call(std::forward<G>(g), std::forward<A>(args)...);
        child.begin(call);
    }
    if constexpr (memory::has_handle)
        task.set(lowlevel::task_is_watched);
    if (name.data())
        lowlevel::name_task(task, name);
    adopt(task, child.first(), memory::owner(task, loop));
    child.is_born();
    if constexpr (memory::has_handle)
        return &memory::kept_of(task);
    else
        return nullptr;
}

}  // namespace anyio::detail
