// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// with(managers, body): the one block construct. Manual: docs/manual/basics.md#with

#include <anyio/basics/detail/with_block.hpp>
#include <anyio/basics/detail/with_resource.hpp>

#include <cstddef>
#include <tuple>
#include <utility>

namespace anyio {

namespace detail {

/// `with(a, b, c, body)`: the body comes last, where it reads best.
template <class Arguments, std::size_t... I>
auto with_body_last(Arguments&& arguments, std::index_sequence<I...>) {
    auto& body = std::get<sizeof...(I)>(arguments);
    using body_type = std::remove_reference_t<decltype(body)>;
    if constexpr ((is_async_argument<
                       std::tuple_element_t<I, std::remove_cvref_t<Arguments>>> ||
                   ...)) {
        return with_resource_await<
            body_type,
            std::tuple_element_t<I, std::remove_cvref_t<Arguments>>...>(
            body, std::get<I>(std::move(arguments))...
        );
    } else {
        return with_block_await<
            body_type,
            std::remove_reference_t<
                std::tuple_element_t<I, std::remove_cvref_t<Arguments>>>...>(
            body, std::get<I>(arguments)...
        );
    }
}

}  // namespace detail

/// Enters what it is given, in order, runs the body, and leaves in reverse order,
/// whatever happens: the only way to have a task group or a cancel scope.
///
/// ```
/// co_await with(create_task_group(), [&](task_group& tg) -> task<> {
///     tg.start_soon(fetch, "a");
/// });
/// ```
///
/// Each argument before the body is one of
/// - a cancel scope (`cancel_scope`, `move_on_after`, `fail_after`, `shield`) or a task
///   group;
/// - a resource with `aclose()`, or an awaitable that yields one: it is closed at the end;
/// - an object of your own with `aenter()` and `aexit(body_end)`: see
///   async_context_manager;
/// - anything else: state that outlives the block with all its children.
///
/// The body gets a reference to each of them, in that order; cancel scopes may be left
/// out, and it may take nothing at all.
///
/// **Locals of the body end when the body ends, which is before the children of a task
/// group do.** What children use by reference belongs outside the block, or here, as
/// state: `with(create_task_group(), event{}, [&](task_group& tg, event& ready) ...)`.
///
/// @returns  for a body that returns task<T>: optional<T>; else bool. Empty or false: the
///           block was cut short by its own cancel scope
/// @throws   what the body throws; an exception_group if there is a task group
/// @checkpoint    as the body; a task group waits for its children
/// @cancellation  unwinds the body, then leaves
/// @threads       loop
/// @allocates     the frame of the body
/// @anyio         async with
template <class... Arguments>
[[nodiscard("with() does nothing until you co_await it")]] auto
with(Arguments&&... arguments) {
    static_assert(sizeof...(Arguments) >= 2, "with(resource..., body) takes both");
    using last =
        std::tuple_element_t<sizeof...(Arguments) - 1, std::tuple<Arguments&&...>>;
    detail::check_temporary_callable<std::conditional_t<
        std::is_lvalue_reference_v<last>,
        last,
        std::remove_cvref_t<last>>>();
    (detail::check_temporary_argument<Arguments>(), ...);
    return detail::with_body_last(
        std::forward_as_tuple(std::forward<Arguments>(arguments)...),
        std::make_index_sequence<sizeof...(Arguments) - 1>()
    );
}

}  // namespace anyio
