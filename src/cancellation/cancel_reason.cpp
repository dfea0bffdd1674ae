// SPDX-License-Identifier: MIT
#include <anyio/cancellation/cancel_reason.hpp>

#include <anyio/lowlevel/cancel_cause.hpp>
#include <anyio/lowlevel/loop_state.hpp>

namespace anyio {

std::optional<cancel_reason> detail::reason_of(const lowlevel::cancel_status& scope) {
    if (!scope.has(lowlevel::scope_cancel_called))
        return std::nullopt;
    cancel_reason reason;
    reason.by_deadline = scope.has(lowlevel::scope_by_deadline);
    if (const lowlevel::cancel_cause* cause = scope.cause()) {
        reason.text = cause->reason;
        reason.where = cause->where;
        reason.task_id = cause->task_id;
    }
    return reason;
}

std::optional<cancel_reason> current_cancel_reason() {
    const auto* loop = lowlevel::this_loop;
    if (!loop || !loop->current)
        return std::nullopt;
    const auto* origin = loop->current->scope->origin();
    if (!origin)
        return std::nullopt;
    return detail::reason_of(*origin);
}

std::string cancel_reason::str() const {
    const lowlevel::cancel_cause cause{text, where, task_id};
    return "cancelled" + lowlevel::why(&cause, by_deadline);
}

}  // namespace anyio
