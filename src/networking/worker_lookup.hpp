// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// look_up_in_worker: a call that blocks, in a worker thread.

#include <anyio/base/errors.hpp>
#include <anyio/basics/task.hpp>
#include <anyio/lowlevel/checkpoint.hpp>
#include <anyio/lowlevel/token.hpp>
#include <anyio/lowlevel/wait_task_rescheduled.hpp>
#include "../threads/worker_pool.hpp"

#include <atomic>
#include <exception>
#include <memory>
#include <utility>

namespace anyio::detail {

/// Shared by the task, the worker thread and the message between them. `waiting` belongs
/// to the loop's thread, the answer to the worker's until it posts.
template <class Result>
struct lookup {
    lowlevel::task_state* waiting =
        nullptr;  // null: answered, or nobody waits any more
    std::atomic<bool> abandoned = false;
    Result found{};
    std::exception_ptr error;
};

/// What `ask()` returns or throws. Cancelled, it is left to itself: not begun at all if it
/// still waits for a thread.
template <class Result, class Ask>
task<Result> look_up_in_worker(const char* what, Ask ask) {
    co_await lowlevel::checkpoint_if_cancelled();
    const auto shared = std::make_shared<lookup<Result>>();
    shared->waiting = &lowlevel::current();
    threads::worker_pool::instance().run(
        [shared, ask = std::move(ask), loop = lowlevel::current_token()] {
            if (shared->abandoned.load(std::memory_order_relaxed))
                return;
            try {
                shared->found = ask();
            } catch (...) {
                shared->error = std::current_exception();
            }
            try {
                loop.run_sync_soon([shared] {
                    if (auto* const waiting = std::exchange(shared->waiting, nullptr))
                        lowlevel::reschedule(*waiting);
                });
            } catch (const run_finished_error&) {
                return;  // so nobody waits
            }
        }
    );
    lookup<Result>* const ours = shared.get();
    co_await lowlevel::wait_task_rescheduled(what, [ours]() noexcept {
        ours->waiting = nullptr;
        ours->abandoned.store(true, std::memory_order_relaxed);
        return lowlevel::abort_result::done;
    });
    // Taken out: the thread may still hold `shared` for a moment, and an error that both
    // threads share would be one that either may destroy.
    if (shared->error)
        std::rethrow_exception(std::exchange(shared->error, nullptr));
    co_return std::move(shared->found);
}

}  // namespace anyio::detail
