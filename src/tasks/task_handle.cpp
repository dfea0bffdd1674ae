// SPDX-License-Identifier: MIT
#include <anyio/tasks/task_handle.hpp>

#include <anyio/base/cause.hpp>
#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include "../lowlevel/task_report.hpp"

namespace anyio::detail {

constinit const lowlevel::wait_kind handle_wait::kind_ =
    lowlevel::park_operation::kind_named("task_handle::wait");

void throw_empty_handle(const char* operation) {
    throw usage_error(describe(
        operation,
        ": this handle has no task: it was default-constructed, or moved from; use the one "
        "that create_task() returned"
    ));
}

handle_state::~handle_state() {
    lowlevel::cancel_cause::release(cause);
}

void handle_state::attach(lowlevel::task_state& child) noexcept {
    task = &child;
    child.set(lowlevel::task_handled);
    scope.enter_as_base(*child.scope, child);
}

void handle_state::finish(
    lowlevel::task_state&, lowlevel::task_end& how, std::exception_ptr& failure
) noexcept {
    ended = true;
    site = lowlevel::this_loop->ended_site;
    end = how;
    error = failure;
    if (how == lowlevel::task_end::cancelled) {
        if (const auto* origin = scope.origin()) {
            by_deadline = origin->has(lowlevel::scope_by_deadline);
            cause = lowlevel::cancel_cause::share(origin->cause());
        }
    }
    scope.leave(*lowlevel::this_loop);
    // A cancellation of this task alone ends here; its group does not hear of it.
    if (how == lowlevel::task_end::cancelled && scope.absorb())
        how = lowlevel::task_end::value;
    waiters.unpark_all();
}

task_handle_status handle_state::status() const noexcept {
    if (!ended)
        return scope.has(lowlevel::scope_effective) ? task_handle_status::cancelling
                                                    : task_handle_status::pending;
    switch (end) {
    case lowlevel::task_end::value:
        return task_handle_status::finished;
    case lowlevel::task_end::error:
        return task_handle_status::failed;
    case lowlevel::task_end::cancelled:
        return task_handle_status::cancelled;
    }
    return task_handle_status::pending;
}

std::string handle_state::name() const {
    return ended ? lowlevel::task_name(*task, site) : lowlevel::task_name(*task);
}

void handle_state::check() const {
    switch (status()) {
    case task_handle_status::finished:
        return;
    case task_handle_status::pending:
        throw task_not_finished(
            describe("task \"", name(), "\": has not finished; co_await the handle")
        );
    case task_handle_status::cancelling:
        throw task_cancelled(describe("task \"", name(), "\": was cancelled"));
    case task_handle_status::cancelled:
        throw task_cancelled(describe(
            "task \"", name(), "\": was cancelled", lowlevel::why(cause, by_deadline)
        ));
    case task_handle_status::failed:
        throw_caused(
            task_failed(
                describe("task \"", name(), "\": failed: ", describe_exception(error))
            ),
            error
        );
    }
}

std::exception_ptr handle_state::exception() const {
    if (status() == task_handle_status::failed)
        return error;
    check();
    return nullptr;
}

void handle_state::forget() noexcept {
    task->clear(lowlevel::task_handled);
    if (task->has(lowlevel::task_finished) && !task->has(lowlevel::task_frame_inside))
        lowlevel::release_task_block(*task);
}

}  // namespace anyio::detail
