// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// exit_stack: any number of resources, entered one by one.
/// Manual: docs/manual/basics.md#exit-stacks

#include <anyio/base/light_std.hpp>
#include <anyio/base/unique_function.hpp>
#include <anyio/basics/with.hpp>

#include <exception>
#include <type_traits>
#include <utility>
#include <vector>

namespace anyio {

/// Resources whose number is known only at run time: they are closed in reverse order
/// when the block of the stack ends, whatever happened.
///
/// ```
/// co_await with(exit_stack(), [&](exit_stack& stack) -> task<> {
///     for (auto& host : hosts) {
///         socket_stream& s = co_await stack.enter(connect_tcp(host, 80));
/// ```
///
/// A failing close does not keep the others from being closed; its error comes out of the
/// block, or an exception_group of all errors if several fail.
///
/// @threads  loop
/// @anyio    contextlib.AsyncExitStack
class exit_stack {
public:
    exit_stack() noexcept = default;

    exit_stack(const exit_stack&) = delete;  // the body holds references into it
    exit_stack& operator=(const exit_stack&) = delete;

    /// Awaits something that yields a resource with `aclose()`, and keeps it.
    ///
    /// @returns  a reference that lives until the block of the stack has ended
    template <detail::awaitable A>
    [[nodiscard]] auto
    enter(A&& awaitable) -> task<std::remove_cvref_t<detail::awaited_t<A>>&> {
        return enter_awaited<std::remove_cvref_t<detail::awaited_t<A>>>(
            std::forward<A>(awaitable)
        );
    }

    /// Keeps a resource that is there already.
    template <class R>
        requires(!detail::awaitable<R>)
    R& push(R resource) {
        static_assert(
            !detail::block_manager<R>,
            "exit_stack::push: a cancel scope or a task group is entered by its block "
            "alone: co_await with(scope, body)"
        );
        static_assert(
            detail::block_manager<R> || std::is_move_constructible_v<R>,
            "exit_stack::push: the resource is moved into the stack, and this one cannot "
            "be moved; push a std::unique_ptr to it, or use callback()"
        );
        if constexpr (std::is_move_constructible_v<R>) {
            auto kept = std::make_shared<R>(std::move(resource));
            R& reference = *kept;
            callback([kept = std::move(kept)]() -> task<> { return close(kept); });
            return reference;
        } else {
            std::terminate();
        }
    }

    /// Calls and awaits `function` when the block ends, in its turn. It may be a
    /// coroutine; it must own what it refers to, or that must outlive the block.
    void callback(unique_function<task<>()> function) {
        exits_.push_back(std::move(function));
    }

    [[nodiscard]] std::size_t size() const noexcept { return exits_.size(); }

    /// For `with`.
    ///
    /// @checkpoint    never
    /// @cancellation  none
    [[nodiscard]] task<> aenter() { co_return; }

    /// Leaves what was entered, and calls the callbacks, last one first.
    ///
    /// @throws        what one of them throws; an exception_group of what several throw
    /// @checkpoint    if one of them is
    /// @cancellation  cuts those short that are not shielded; all have their turn
    [[nodiscard]] task<> aexit(body_end how);

private:
    template <class R, class A>
    task<R&> enter_awaited(A&& awaitable) {
        R resource = co_await std::forward<A>(awaitable);
        co_return push(std::move(resource));
    }

    template <class R>
    static task<> close(std::shared_ptr<R> resource) {
        if constexpr (detail::closeable<R>)
            co_await resource->aclose();
        co_return;
    }

    std::vector<unique_function<task<>()>> exits_;
};

}  // namespace anyio
