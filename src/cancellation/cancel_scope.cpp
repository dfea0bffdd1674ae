// SPDX-License-Identifier: MIT
#include <anyio/cancellation/cancel_scope.hpp>

#include <anyio/base/errors.hpp>
#include <anyio/cancellation/current_effective_deadline.hpp>

namespace anyio {

// True as soon as the time has passed, even if the loop has not seen it yet, as in trio.
bool cancel_scope::cancel_called() const noexcept {
    if (status_.has(lowlevel::scope_cancel_called))
        return true;
    if (status_.has(lowlevel::scope_left) || !lowlevel::this_loop)
        return false;
    const time_point deadline = status_.deadline();
    return deadline != never &&
           deadline <= lowlevel::current_loop_time(*lowlevel::this_loop);
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
