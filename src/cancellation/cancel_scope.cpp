// SPDX-License-Identifier: MIT
#include <anyio/cancellation/cancel_scope.hpp>

#include <anyio/base/assert.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/cancellation/current_effective_deadline.hpp>
#include "../lowlevel/task_report.hpp"

#include <cstdlib>

namespace anyio {

// True as soon as the time has passed, even if the loop has not seen it yet, as in trio;
// and then for ever, so the question is the moment at which the scope is cancelled.
bool cancel_scope::cancel_called() const noexcept {
    return status_.notice_deadline();
}

void cancel_scope::destroyed_in_use() const noexcept {
    ANYIO_EXPECTS(
        !status_.is_in_use(),
        "cancel_scope: destroyed while task \"",
        lowlevel::task_name(*status_.host()),
        "\" was inside its block; let it outlive that: declare it outside of the block of "
        "the task group, or start the task by create_task() and cancel it by its handle"
    );
    std::abort();  // not reached
}

void cancel_scope::set_relative_deadline(delay after_begin) {
    if (status_.has(lowlevel::scope_entered))
        throw usage_error(
            "cancel_scope::set_relative_deadline: its block has begun; write "
            "set_deadline(current_time() + d)"
        );
    status_.set_timeout(after_begin);
}

void cancel_scope::throw_entered_twice() {
    throw usage_error("with cancel_scope: it has served a block already; make a new one"
    );
}

time_point current_effective_deadline() {
    const auto& loop = lowlevel::require_loop("current_effective_deadline");
    return (loop.current ? loop.current->scope : loop.root_scope)->effective_deadline();
}

}  // namespace anyio
