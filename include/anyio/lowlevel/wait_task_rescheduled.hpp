// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// wait_task_rescheduled: the one suspension primitive. Suspend the running task, with a
/// function that can abort the wait. Manual: docs/manual/lowlevel.md#your-own-operations

#include <anyio/lowlevel/operation.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace anyio::lowlevel {

/// See wait_task_rescheduled().
template <class Abort>
class [[nodiscard]] rescheduled_wait final : public awaitable_base, public wait_record {
public:
    template <class A>
    explicit rescheduled_wait(const char* what, A&& abort)
        : wait_record(kind_), what_(what), abort_(std::forward<A>(abort)) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    void await_suspend(awaiting_frame handle) noexcept {
        loop_state& loop = *this_loop;
        frame_link* const leaf = link_of(handle);
        park(loop, leaf, *this);
        // The operation is under way already, so it cannot be left alone here: a task
        // that was cancelled before gets its abort function called, like any other.
        if (cancelled(*loop.current)) [[unlikely]] {
            if (abort_() == abort_result::done)
                reschedule_cancelled(*loop.current);
            else
                loop.current->set(task_abort_requested);
        }
    }

    void await_resume() const noexcept {}

private:
    static abort_result aborted(wait_record& record) noexcept {
        return static_cast<rescheduled_wait&>(record).abort_();
    }

    static void describe(const wait_record& record, std::string& out) {
        out += static_cast<const rescheduled_wait&>(record).what_;
    }

    static constexpr wait_kind kind_{&aborted, "wait", &describe};

    const char* what_;
    Abort abort_;
};

/// Suspends the running task until somebody calls reschedule() for it: the way to make
/// an API with callbacks awaitable and cancellable.
///
/// ```
/// task<int> read_sensor(sensor* s) {
///     struct call { lowlevel::task_state* waiting; int value; } c{&lowlevel::current(), 0};
///     sensor_read(s, [](void* p, int v) {
///         auto& c = *static_cast<call*>(p);
///         c.value = v;
///         lowlevel::reschedule(*c.waiting);
///     }, &c);
///     co_await lowlevel::wait_task_rescheduled("sensor", [s]() noexcept {
///         return sensor_cancel(s) ? lowlevel::abort_result::done
///                                 : lowlevel::abort_result::pending;
///     });
///     co_return c.value;
/// }
/// ```
///
/// Start the operation first, then await. The callback must come on the loop's thread
/// (use an event_loop_token from another one), after the task has suspended, and exactly
/// once, unless `abort` answered `done`. Look for cancellation before you start something
/// that is better not started: `co_await checkpoint_if_cancelled()`.
///
/// @param what   what the task waits for, in reports; a string literal
/// @param abort  called at most once, if the task is cancelled while it waits; answers
///               abort_result::done if the operation has ended without effect and will
///               not call back, abort_result::pending if it still will. Then the frame,
///               with everything the operation uses, stays alive until it has, and
///               reschedule() or reschedule_cancelled() says whether it had an effect.
///               Must be noexcept, and run no code of users.
/// @checkpoint    always
/// @cancellation  as `abort` answers
/// @threads       loop
/// @allocates     nothing
/// @anyio         trio.lowlevel.wait_task_rescheduled
/// @example       docs/snippets/lowlevel/callback_api.cpp
template <class Abort>
[[nodiscard]] rescheduled_wait<std::decay_t<Abort>>
wait_task_rescheduled(const char* what, Abort&& abort) {
    static_assert(
        std::is_nothrow_invocable_r_v<abort_result, std::decay_t<Abort>&>,
        "wait_task_rescheduled(what, abort): abort must be noexcept and return "
        "lowlevel::abort_result: `done` if the operation will never call back, `pending` "
        "if it still will"
    );
    return rescheduled_wait<std::decay_t<Abort>>(what, std::forward<Abort>(abort));
}

/// The running task; for reschedule().
///
/// @throws no_event_loop_error  outside a task
[[nodiscard]] task_state& current();

}  // namespace anyio::lowlevel
