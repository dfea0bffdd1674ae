// SPDX-License-Identifier: MIT
#include <anyio/basics/task.hpp>

#include <anyio/base/errors.hpp>
#include <anyio/lowlevel/wait_task_rescheduled.hpp>

#include <cstdio>

namespace anyio {

namespace detail {

void throw_spent_task() {
    throw usage_error(
        "task: it has been awaited or given away already, or was moved from; call its "
        "function again for a new one"
    );
}

std::exception_ptr spent_task_error() noexcept {
    try {
        throw_spent_task();
    } catch (...) {
        return std::current_exception();
    }
}

// Not while an exception or a cancellation passes: then it is natural that something that
// had been prepared is not used.
void drop_unstarted(frame_link& link) noexcept {
#if ANYIO_DEBUG
    if (!unwinding() && std::uncaught_exceptions() == 0)
        std::fputs(
            "anyio: a task<> was dropped that nobody awaited, so it did nothing; "
            "co_await it, or pass its function to start_soon\n",
            stderr
        );
#endif
    handle_of(&link).destroy();
}

}  // namespace detail

namespace lowlevel {

void throw_no_loop(const char* operation) {
    throw no_event_loop_error(
        std::string(operation) +
        ": no event loop runs in this thread; call it from a task, inside anyio::run, or "
        "from another thread by event_loop_token::run_sync_soon()"
    );
}

loop_state& require_loop(const char* operation) {
    if (!this_loop)
        throw_no_loop(operation);
    return *this_loop;
}

task_state& current() {
    loop_state& loop = require_loop("lowlevel::current");
    if (!loop.current)
        throw no_event_loop_error("lowlevel::current: no task is running");
    return *loop.current;
}

}  // namespace lowlevel

}  // namespace anyio
