// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// with_resource_await: `with` for what must be awaited to be entered or left. One
/// coroutine for each such argument; scopes and groups among them stay blocks.

#include <anyio/basics/closings.hpp>
#include <anyio/basics/detail/with_block.hpp>
#include <anyio/basics/outcome.hpp>

#include <cstdint>
#include <tuple>
#include <utility>

namespace anyio {

/// How the body of a block has ended, for async_context_manager::aexit().
enum class body_end : std::uint8_t { value, error, cancelled };

/// Something that `with` enters and leaves by awaiting it. What `aenter()` yields is
/// passed to the body; if it yields nothing, the manager itself is. `aexit(body_end)` is
/// awaited whatever happened, in a scope that may be cancelled: shield what must not be
/// cut short.
///
/// @anyio  typing.AsyncContextManager
template <class M>
concept async_context_manager = requires(M& manager, body_end end) {
    { manager.aenter() } -> detail::awaitable;
    { manager.aexit(end) } -> detail::awaitable;
};

namespace detail {

/// Has something to be awaited when it is not used any more.
template <class R>
concept closeable = requires(R& resource) {
    { resource.aclose() } -> awaitable;
};

template <class A>
inline constexpr bool is_async_argument =
    awaitable<A> || async_context_manager<std::remove_reference_t<A>> ||
    closeable<std::remove_reference_t<A>>;

template <class M>
using entered_t = awaited_t<decltype(std::declval<M&>().aenter())>;

template <class A>
auto subject_type() {
    using bare = std::remove_cvref_t<A>;
    if constexpr (block_manager<bare>) {
        using block_type = typename bare::with_block;
        return std::type_identity<decltype(std::declval<block_type&>().subject())>();
    } else if constexpr (awaitable<A>) {
        return std::type_identity<std::remove_cvref_t<awaited_t<bare>>&>();
    } else if constexpr (async_context_manager<bare>) {
        if constexpr (std::is_void_v<entered_t<bare>>)
            return std::type_identity<bare&>();
        else
            return std::type_identity<std::remove_cvref_t<entered_t<bare>>&>();
    } else {
        return std::type_identity<std::remove_reference_t<A>&>();
    }
}

/// What the body is passed for an argument of type A; a reference.
template <class A>
using subject_t = typename decltype(subject_type<A>())::type;

template <class A>
using needed_t =
    std::conditional_t<optional_subject<A>, std::tuple<>, std::tuple<subject_t<A>>>;

/// The body of a `with`, and what its closings have thrown so far.
template <class Function>
struct with_run {
    Function& function;
    closings errors{};
    std::exception_ptr thrown{};  ///< of `errors`, on its way out of the block
};

template <class R, class Body, class Full, class Short>
task<R> with_body(Body& body, Full full, Short shortened) {
    using returned = decltype(call_body(body.function, full, shortened));
    if constexpr (!is_task<returned>) {
        call_body(body.function, full, shortened);
        co_return true;
    } else if constexpr (std::is_void_v<typename returned::value_type>) {
        co_await call_body(body.function, full, shortened);
        co_return true;
    } else {
        auto value = co_await call_body(body.function, full, shortened);
        co_return R(std::move(value));
    }
}

template <class R, class Body, class Full, class Short>
task<R> with_steps(Body& body, Full full, Short shortened) {
    return with_body<R>(body, full, shortened);
}

template <class R, class Body, class Full, class Short, class First, class... Rest>
task<R>
with_steps(Body& body, Full full, Short shortened, First&& first, Rest&&... rest);

template <class R, class Body, class Full, class Short, class Subject, class... Rest>
task<R>
with_subject(Body& body, Full full, Short shortened, Subject& subject, Rest&&... rest) {
    return with_steps<R>(
        body,
        std::tuple_cat(full, std::tie(subject)),
        std::tuple_cat(shortened, std::tie(subject)),
        std::forward<Rest>(rest)...
    );
}

template <class R, class Body, class Full, class Short, class First, class... Rest>
task<R>
with_block_step(Body& body, Full full, Short shortened, First& first, Rest&&... rest) {
    using subject = std::remove_reference_t<subject_t<First>>;
    auto inside = [&](subject& entered) -> task<R> {
        if constexpr (optional_subject<First>)
            return with_steps<R>(
                body,
                std::tuple_cat(full, std::tie(entered)),
                shortened,
                std::forward<Rest>(rest)...
            );
        else
            return with_subject<R>(
                body, full, shortened, entered, std::forward<Rest>(rest)...
            );
    };
    std::optional<R> result =
        co_await with_block_await<decltype(inside), First>(inside, first);
    if (!result)
        co_return R();
    co_return std::move(*result);
}

/// The error of the body comes first; an error of the cleanup replaces a cancellation
/// (rule K7); several errors of the cleanup are one group.
template <class R, class Body>
task<R> with_result_of(Body& run, outcome<R> body, outcome<void> cleanup) {
    if (cleanup.has_error()) {
        if (!body.has_error())
            run.errors = closings();
        if (!body.has_error() || body.error() == run.thrown) {
            run.errors.add(cleanup);
            run.thrown = run.errors.result().error();
            std::rethrow_exception(run.thrown);
        }
    }
    if (cleanup.is_cancelled() && body.has_value())
        co_await std::move(cleanup).unwrap();
    R result = co_await std::move(body).unwrap();
    co_return result;
}

template <class R, class Body, class Full, class Short, class Resource, class... Rest>
task<R> with_closed(
    Body& body, Full full, Short shortened, Resource& resource, Rest&&... rest
) {
    outcome<R> ended = co_await as_outcome(
        with_subject<R>(body, full, shortened, resource, std::forward<Rest>(rest)...)
    );
    auto close = [&] { return resource.aclose(); };
    outcome<void> closed = co_await as_outcome(closing_by(close));
    R result = co_await with_result_of<R>(body, std::move(ended), std::move(closed));
    co_return result;
}

template <class R, class Body, class Full, class Short, class First, class... Rest>
task<R>
with_awaited(Body& body, Full full, Short shortened, First&& first, Rest&&... rest) {
    auto resource = co_await std::forward<First>(first);
    if constexpr (closeable<decltype(resource)>) {
        R result = co_await with_closed<R>(
            body, full, shortened, resource, std::forward<Rest>(rest)...
        );
        co_return result;
    } else {
        R result = co_await with_subject<R>(
            body, full, shortened, resource, std::forward<Rest>(rest)...
        );
        co_return result;
    }
}

template <class M>
auto end_of(const outcome<M>& ended) noexcept {
    return ended.has_value()   ? body_end::value
           : ended.has_error() ? body_end::error
                               : body_end::cancelled;
}

template <class R, class Body, class Full, class Short, class M, class... Rest>
task<R>
with_managed(Body& body, Full full, Short shortened, M& manager, Rest&&... rest) {
    outcome<R> ended;
    if constexpr (std::is_void_v<entered_t<M>>) {
        co_await manager.aenter();
        ended = co_await as_outcome(
            with_subject<R>(body, full, shortened, manager, std::forward<Rest>(rest)...)
        );
    } else {
        auto entered = co_await manager.aenter();
        ended = co_await as_outcome(
            with_subject<R>(body, full, shortened, entered, std::forward<Rest>(rest)...)
        );
    }
    auto leave = [&] { return manager.aexit(end_of(ended)); };
    outcome<void> left = co_await as_outcome(closing_by(leave));
    R result = co_await with_result_of<R>(body, std::move(ended), std::move(left));
    co_return result;
}

template <class R, class Body, class Full, class Short, class First, class... Rest>
task<R>
with_steps(Body& body, Full full, Short shortened, First&& first, Rest&&... rest) {
    using bare = std::remove_cvref_t<First>;
    if constexpr (block_manager<bare>)
        return with_block_step<R>(
            body, full, shortened, first, std::forward<Rest>(rest)...
        );
    else if constexpr (awaitable<First>)
        return with_awaited<R>(
            body,
            full,
            shortened,
            std::forward<First>(first),
            std::forward<Rest>(rest)...
        );
    else if constexpr (async_context_manager<bare>)
        return with_managed<R>(
            body, full, shortened, first, std::forward<Rest>(rest)...
        );
    else if constexpr (closeable<bare>)
        return with_closed<R>(
            body, full, shortened, first, std::forward<Rest>(rest)...
        );
    else
        return with_subject<R>(
            body, full, shortened, first, std::forward<Rest>(rest)...
        );
}

template <class Body, class... A>
class [[nodiscard("with() does nothing until you co_await it")]] with_resource_await
    : public lowlevel::awaitable_base {
    using returned = decltype(call_body(
        std::declval<Body&>(),
        std::declval<std::tuple<subject_t<A>...>>(),
        std::tuple_cat(std::declval<needed_t<A>>()...)
    ));
    using result = with_result<typename body_result<returned>::type>;

public:
    template <class... Given>
    explicit with_resource_await(Body& body, Given&&... arguments)
        : run_{body},
          steps_(with_steps<result>(
              run_, std::tuple<>(), std::tuple<>(), std::forward<Given>(arguments)...
          )),
          inner_(steps_, unset_) {}

    void attach(frame_link& parent) noexcept { inner_.child->parent = &parent; }

    [[nodiscard]] bool await_ready() noexcept { return inner_.await_ready(); }

    void await_suspend(lowlevel::awaiting_frame parent) noexcept {
        inner_.await_suspend(parent);
    }

    result await_resume() { return inner_.await_resume(); }

private:
    with_run<Body> run_;
    frame_link unset_{};
    task<result> steps_;
    task_awaiter<result> inner_;
};

}  // namespace detail

}  // namespace anyio
