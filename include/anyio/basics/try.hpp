// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// try_(body): a try block whose handlers may await. Manual: docs/manual/tasks.md#errors

#include <anyio/basics/detail/try_steps.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

namespace anyio {

/// A try block, as C++'s own but with handlers that may be coroutines, and with
/// Python's `except*` and `finally`. Made by try_(); await it where you make it.
template <class Body, class... Clauses>
class [[nodiscard("a try_ block runs when you co_await it")]] try_block
    : public lowlevel::awaitable_base {
    using value = detail::try_value_t<Body>;
    using result = detail::try_result_t<value, Clauses...>;

public:
    explicit try_block(Body& body, std::tuple<Clauses...> clauses) noexcept
        : body_(&body), clauses_(clauses) {}

    /// Handles an error that `catch (const E&)` would: the first except<E> that fits, no
    /// other. `handler(const E&)` may be a coroutine or plain, and may take nothing. What
    /// it returns is the block's result; what it throws comes out of the block.
    ///
    /// A plain handler may say `throw;`. A coroutine must not, since to C++ nothing is
    /// being handled there, and that ends the program: it takes the error as a second
    /// parameter, `(const E& e, std::exception_ptr error)`, and says
    /// `std::rethrow_exception(error)`.
    template <class E, class H>
    [[nodiscard]] auto except(H&& handler) && {
        detail::check_temporary_callable<H>();
        detail::check_handler<H, E>();
        return std::move(*this).add(
            detail::except_clause<E, std::remove_reference_t<H>>{&handler}
        );
    }

    /// Handles all errors of type E in an exception_group, or one that is not in a group;
    /// the others go on to the next except_star, and in the end out of the block, as a
    /// group. `handler(const matches<E>&)` gets a range of `const E&`; it rethrows as that
    /// of except<E> does, what it was given as a group.
    ///
    /// @anyio  except*
    template <class E, class H>
    [[nodiscard]] auto except_star(H&& handler) && {
        detail::check_temporary_callable<H>();
        detail::check_handler<H, matches<E>>();
        return std::move(*this).add(
            detail::except_star_clause<E, std::remove_reference_t<H>>{&handler}
        );
    }

    /// Runs `handler()` if the body is cancelled. The cancellation goes on afterwards; a
    /// handler that awaits is cut short at its first checkpoint, unless shielded.
    template <class H>
    [[nodiscard]] auto on_cancel(H&& handler) && {
        detail::check_temporary_callable<H>();
        return std::move(*this).add(
            detail::on_cancel_clause<std::remove_reference_t<H>>{&handler}
        );
    }

    /// Runs `handler()` in any case, at the end, shielded from cancellation, for `grace`
    /// at most. What it throws replaces the outcome of the block.
    ///
    /// @anyio  try: ... finally: with CancelScope(shield=True): ...
    template <class H>
    [[nodiscard]] auto finally_(H&& handler, delay grace = forever) && {
        detail::check_temporary_callable<H>();
        return std::move(*this).add(
            detail::finally_clause<std::remove_reference_t<H>>{&handler, grace}
        );
    }

    // The steps are made when the block is awaited: before, it is only being described.
    void attach(lowlevel::frame_link& parent) {
        steps_.emplace(detail::run_try<result, value>(*body_, clauses_));
        inner_.emplace(*steps_, parent);
    }

    [[nodiscard]] bool await_ready() noexcept { return inner_->await_ready(); }

    void await_suspend(lowlevel::awaiting_frame handle) noexcept {
        inner_->await_suspend(handle);
    }

    result await_resume() { return inner_->await_resume(); }

private:
    template <class Clause>
    auto add(Clause clause) {
        return try_block<Body, Clauses..., Clause>(
            *body_, std::tuple_cat(clauses_, std::tuple<Clause>(clause))
        );
    }

    Body* body_;
    std::tuple<Clauses...> clauses_;
    std::optional<task<result>> steps_;
    detail::late<detail::task_awaiter<result>> inner_;
};

/// Begins a try block around `body`, a coroutine or a plain function without parameters:
///
/// ```
/// co_await try_([&]() -> task<> { co_await risky(); })
///     .except<timeout_error>([&](const timeout_error& e) -> task<> { co_await report(e); })
///     .finally_([&]() -> task<> { co_await db.close(); });  // shielded
/// ```
///
/// @returns  what the body returns. If it returns a T and a handler does not, the result
///           is an optional<T>, empty when an error was handled
/// @throws   what no clause handles; what a handler throws
/// @checkpoint    as the body and the handlers
/// @cancellation  unwinds the body, then runs on_cancel and finally_
/// @threads       loop
/// @allocates     a few frames
/// @anyio         try
template <class Body>
[[nodiscard]] auto try_(Body&& body) {
    detail::check_temporary_callable<Body>();
    return try_block<std::remove_reference_t<Body>>(body, std::tuple<>());
}

}  // namespace anyio
