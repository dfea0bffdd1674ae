// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// task_group: start_soon, start, create_task; waits for all of its children.
/// Manual: docs/manual/tasks.md

#include <anyio/tasks/detail/group_core.hpp>
#include <anyio/tasks/detail/start_operation.hpp>
#include <anyio/tasks/detail/task_call.hpp>
#include <anyio/tasks/task_handle.hpp>
#include <anyio/tasks/task_status.hpp>

#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>

namespace anyio {

/// How a child is made. Trivially destructible: see docs/manual/compilers.md.
struct task_options {
    /// Default: the name of the child's function. Copied.
    std::string_view name = {};
};

/// What start_soon returns: nothing. It exists so that awaiting it says why not.
struct not_awaitable {
    template <class Never = void>
    auto operator co_await() const {
        static_assert(
            detail::always_false<Never>,
            "start_soon() does not wait, so there is nothing to await: drop the co_await; "
            "co_await tg.start(f) waits until f is ready, create_task(f) gives a handle "
            "to wait for"
        );
        return std::suspend_never();
    }
};

/// Runs tasks of its own beside the body of its block, and ends when all have ended.
///
/// ```
/// co_await with(create_task_group(), [&](task_group& tg) -> task<> {
///     tg.start_soon(fetch, "a");
///     tg.start_soon(fetch, "b");
/// });  // both have ended here, whatever happened
/// ```
///
/// The first error, of a child or of the body, cancels all the others; when they have
/// ended, the block throws one exception_group with every error, also if there is only
/// one. Cancellations are never in it.
///
/// A child's function and arguments are copied (`std::ref` passes a reference on), and
/// live as long as the child: lambdas with captures are safe here. Locals of the body are
/// not: see `with`.
///
/// @threads  loop
/// @anyio    anyio.abc.TaskGroup
class task_group {
public:
    /// Only inside the block of `with(create_task_group(), ...)`.
    template <class Never = void>
    task_group() {
        static_assert(
            detail::always_false<Never>,
            "a task group exists only in its block: co_await with(create_task_group(), "
            "[&](task_group& tg) -> task<> { ... })"
        );
    }

    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;

    /// Starts `f(args...)` as a child. It runs when the caller next suspends. A function
    /// that could be given to start() too gets TASK_STATUS_IGNORED as its last argument.
    ///
    /// @throws usage_error     if the group's block has ended or not begun
    /// @throws std::bad_alloc  and what copying throws; nothing has been started then
    /// @checkpoint    never
    /// @cancellation  none; a child of a cancelled group still runs to its first
    ///                checkpoint
    /// @allocates     one block for the call, the task and its frame
    /// @anyio         anyio.abc.TaskGroup.start_soon
    template <class F, class... Args>
        requires(!std::is_same_v<std::remove_cvref_t<F>, task_options>)
    not_awaitable start_soon(F&& f, Args&&... args) {
        return start_soon(
            task_options{}, std::forward<F>(f), std::forward<Args>(args)...
        );
    }

    template <class F, class... Args>
    not_awaitable start_soon(task_options options, F&& f, Args&&... args);

    /// Like start_soon, with a handle to wait for this child, look at its result, or
    /// cancel it alone.
    ///
    /// @anyio  anyio.abc.TaskGroup.create_task
    template <class F, class... Args>
        requires(!std::is_same_v<std::remove_cvref_t<F>, task_options>)
    auto create_task(F&& f, Args&&... args) {
        return create_task(
            task_options{}, std::forward<F>(f), std::forward<Args>(args)...
        );
    }

    template <class F, class... Args>
    auto create_task(task_options options, F&& f, Args&&... args);

    /// Starts `f(args..., status)` as a child and waits until it has called
    /// `status.started(value)`; status is f's last parameter, a task_status<V>.
    ///
    /// Until then the child belongs to the caller: an error before started() comes out of
    /// here, unwrapped, and does not cancel the group.
    ///
    /// @returns  the value given to started()
    /// @throws usage_error  if the child ends without having called started(); if the
    ///                      group's block has ended or not begun
    /// @throws what the child throws before it is ready
    /// @checkpoint    always
    /// @cancellation  cancels the child, and waits until it has ended; started() that came
    ///                first wins
    /// @allocates     as start_soon, and a small state
    /// @anyio         anyio.abc.TaskGroup.start
    template <class F, class... Args>
        requires(!std::is_same_v<std::remove_cvref_t<F>, task_options>)
    [[nodiscard("start() begins the child when you co_await it")]] auto
    start(F&& f, Args&&... args) {
        return start(task_options{}, std::forward<F>(f), std::forward<Args>(args)...);
    }

    template <class F, class... Args>
    [[nodiscard("start() begins the child when you co_await it")]] auto
    start(task_options options, F&& f, Args&&... args) {
        if constexpr (!detail::check_start_call<F, Args...>())
            return detail::refused();
        else
            return detail::
                start_operation<false, std::decay_t<F>, std::decay_t<Args>...>(
                    core_, options.name, std::forward<F>(f), std::forward<Args>(args)...
                );
    }

    /// Like start(), with a handle of the child:
    /// `auto [handle, port] = co_await tg.start_task(serve);`
    ///
    /// @returns  a started_task<T, V>; the task_handle<T> alone if started() is called
    ///           without a value
    /// @anyio    anyio.abc.TaskGroup.start(return_handle=True)
    template <class F, class... Args>
        requires(!std::is_same_v<std::remove_cvref_t<F>, task_options>)
    [[nodiscard("start_task() begins the child when you co_await it")]] auto
    start_task(F&& f, Args&&... args) {
        return start_task(
            task_options{}, std::forward<F>(f), std::forward<Args>(args)...
        );
    }

    template <class F, class... Args>
    [[nodiscard("start_task() begins the child when you co_await it")]] auto
    start_task(task_options options, F&& f, Args&&... args) {
        if constexpr (!detail::check_start_call<F, Args...>())
            return detail::refused();
        else
            return detail::
                start_operation<true, std::decay_t<F>, std::decay_t<Args>...>(
                    core_, options.name, std::forward<F>(f), std::forward<Args>(args)...
                );
    }

    /// The scope of the body and of all children.
    ///
    /// @anyio  anyio.abc.TaskGroup.cancel_scope
    [[nodiscard]] anyio::cancel_scope& cancel_scope() noexcept {
        return core_.own_scope();
    }

    /// Cancels the body, and all children, newest first: they run in that order to end.
    ///
    /// @checkpoint    never
    /// @cancellation  none
    /// @anyio         anyio.abc.TaskGroup.cancel
    void cancel(
        std::string_view reason = {},
        std::source_location where = std::source_location::current()
    ) noexcept {
        core_.own_scope().cancel(reason, where);
    }

    /// For those who build on groups.
    [[nodiscard]] detail::group_core& core() noexcept { return core_; }

private:
    friend class task_group_manager;

    struct made_by_manager {};

    explicit task_group(made_by_manager) noexcept {}

    detail::group_core core_;
};

/// What create_task_group() returns: pass it to `with`.
class task_group_manager {
public:
    task_group_manager() noexcept = default;

    /// For `with`.
    class with_block : public detail::group_block {
    public:
        static constexpr bool subject_is_optional = false;

        with_block(task_group_manager& manager, lowlevel::body_outcome& shared) noexcept
            : group_block(manager.group_.core_, shared), subject_(manager.group_) {}

        /// @throws usage_error  if the group has served a block already
        void enter(lowlevel::loop_state& loop) { core->open(loop); }

        [[nodiscard]] task_group& subject() noexcept { return subject_; }

    private:
        task_group& subject_;
    };

private:
    task_group group_{task_group::made_by_manager()};
};

/// A task group for one block: `co_await with(create_task_group(), body)`.
///
/// @anyio  anyio.create_task_group
[[nodiscard]] inline task_group_manager create_task_group() noexcept {
    return {};
}

template <class F, class... Args>
not_awaitable task_group::start_soon(task_options options, F&& f, Args&&... args) {
    using status = detail::missing_status_t<F, Args...>;
    if constexpr (!std::is_void_v<status>) {
        return start_soon(
            options, std::forward<F>(f), std::forward<Args>(args)..., status()
        );
    } else {
        detail::check_task_call<F, Args...>();
        core_.require_open("task_group::start_soon");
        if constexpr (detail::can_be_kept<F, Args...> &&
                      detail::makes_task<std::decay_t<F>, std::decay_t<Args>...>)
            detail::spawn<detail::no_extra, std::decay_t<F>, std::decay_t<Args>...>(
                options.name,
                core_.adopter(),
                std::forward<F>(f),
                std::forward<Args>(args)...
            );
        return {};
    }
}

template <class F, class... Args>
auto task_group::create_task(task_options options, F&& f, Args&&... args) {
    using status = detail::missing_status_t<F, Args...>;
    if constexpr (!std::is_void_v<status>) {
        return create_task(
            options, std::forward<F>(f), std::forward<Args>(args)..., status()
        );
    } else if constexpr (!detail::can_be_kept<F, Args...>) {
        detail::check_task_call<F, Args...>();
    } else {
        detail::check_task_call<F, Args...>();
        core_.require_open("task_group::create_task");
        using value = detail::task_value_t<std::decay_t<F>, std::decay_t<Args>...>;
        using state = detail::typed_handle_state<value>;
        lowlevel::task_state* child = nullptr;
        state* const made =
            detail::spawn<state, std::decay_t<F>, std::decay_t<Args>...>(
                options.name,
                [&](lowlevel::task_state& task,
                    lowlevel::frame_link& first,
                    lowlevel::frame_owner& owner) {
                    core_.adopt(task, first, owner);
                    child = &task;
                },
                std::forward<F>(f),
                std::forward<Args>(args)...
            );
        made->attach(*child);
        return task_handle<value>(*made);
    }
}

}  // namespace anyio
