// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// run: the entry point. Manual: docs/manual/basics.md#running

#include <anyio/base/call_parameters.hpp>
#include <anyio/base/light_std.hpp>
#include <anyio/basics/task.hpp>
#include <anyio/lowlevel/chooser.hpp>
#include <anyio/lowlevel/clock.hpp>

#include <concepts>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace anyio {

/// How a run is set up. Trivially destructible: see docs/manual/compilers.md.
struct run_options {
    /// "epoll" or "io_uring"; empty: `$ANYIO_BACKEND`, else the best that works here.
    std::string_view backend = {};
    /// A clock of your own, such as testing::virtual_clock; it must outlive the run.
    lowlevel::clock* clock = nullptr;
    /// How long a loop without ready tasks looks again and again before it sleeps. Saves
    /// the time that waking up takes, some 20 to 50 µs, and costs a core while it lasts.
    delay busy_poll = duration::zero();
    /// Who decides which ready task runs next; it must outlive the run. Null: first come,
    /// first served. See testing::random_order.
    lowlevel::chooser* chooser = nullptr;
};

namespace detail {

/// The loop of one call of run(), without its types.
class run_session {
public:
    explicit run_session(const run_options& options);
    ~run_session();

    run_session(const run_session&) = delete;
    run_session& operator=(const run_session&) = delete;

    /// Runs until the coroutine has ended; its outcome is in `owner`.
    void run(frame_link& main, frame_owner& owner);

private:
    lowlevel::scheduler* scheduler_;
};

template <class T>
T run_task(const run_options& options, auto& start) {
    result_slot<T> result;
    {
        run_session session(options);
        task<T> main = start();
        if (!main)
            throw_spent_task();
        session.run(*main.release(), result);
    }
    if (result.error)
        std::rethrow_exception(std::move(result.error));
    return result.take();
}

/// Runs `f(args...)`, and keeps what its parameters refer to until it has ended.
template <class T, class F, std::size_t... I, class... Args>
T run_call(
    const run_options& options, std::index_sequence<I...>, F&& f, Args&&... args
) {
    [[maybe_unused]] std::tuple<call_argument_t<F, I, Args&&>...> kept(
        std::forward<Args>(args)...
    );
    auto start = [&] {
        return ANYIO_INVOKE(
            std::forward<F>(f),
            hand_over<call_argument_t<F, I, Args&&>>(std::get<I>(kept))...
        );
    };
    return run_task<T>(options, start);
}

template <class F, class... Args>
concept starts_task =
    std::invocable<F, Args...> && is_task<std::invoke_result_t<F, Args...>>;

}  // namespace detail

/// Runs `f(args...)`, a coroutine, as the main task of a new loop in this thread, until
/// it has ended.
///
/// @returns  what the coroutine returns
/// @throws   what the coroutine throws, unwrapped
/// @throws   usage_error     if a loop runs in this thread already
/// @throws   lookup_error    if there is no such backend; for one that does not work here,
///                           another stands in, and a line on stderr says so
/// @throws   deadlock_error  if every task is blocked and nothing can ever wake one; all
///                           tasks have been unwound then
/// @threads  any, one loop for each
/// @anyio    anyio.run
template <class F, class... Args>
    requires(!std::same_as<std::remove_cvref_t<F>, run_options>)
decltype(auto) run(const run_options& options, F&& f, Args&&... args) {
    static_assert(
        !detail::is_task<std::remove_cvref_t<F>>,
        "run(f, args...) takes a function, not a task: write run(f, x) instead of run(f(x))"
    );
    static_assert(
        detail::is_task<std::remove_cvref_t<F>> || std::invocable<F, Args...>,
        "run(f, args...): f cannot be called with these arguments"
    );
    static_assert(
        detail::starts_task<F, Args...> || !std::invocable<F, Args...>,
        "run(f, args...): f(args...) must return a task<...>; write it as a coroutine "
        "returning task<>, with co_await or co_return in it"
    );
    if constexpr (detail::starts_task<F, Args...>) {
        using value = typename std::invoke_result_t<F, Args...>::value_type;
        return detail::run_call<value>(
            options,
            std::index_sequence_for<Args...>(),
            std::forward<F>(f),
            std::forward<Args>(args)...
        );
    }
}

template <class F, class... Args>
    requires(!std::same_as<std::remove_cvref_t<F>, run_options>)
decltype(auto) run(F&& f, Args&&... args) {
    // Qualified: the function's namespace may have a run() of its own.
    return anyio::run(run_options{}, std::forward<F>(f), std::forward<Args>(args)...);
}

}  // namespace anyio
