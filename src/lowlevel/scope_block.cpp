// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/scope_block.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/lowlevel/cancel_cause.hpp>
#include "task_report.hpp"

namespace anyio::lowlevel {

namespace {

cancel_status* scope_of(block& self) noexcept {
    return static_cast<scope_block&>(self).scope;
}

// Who was in a hurry, what took too long, and which line has set the limit.
timeout_error timeout_of(const scope_block& self) {
    std::string text =
        self.time_limit == forever
            ? std::string("fail_at: the deadline has passed")
            : describe("fail_after ", self.time_limit, ": the time is up");
    const cancel_cause* const cause = self.scope->cause();
    if (cause && !cause->reason.empty())
        text += describe("; it waited in ", cause->reason);
    const frame_link* awaiting = self.link.parent;
    while (awaiting->is_block())
        awaiting = awaiting->parent;
    if (const std::string place = place_of(*awaiting);
        awaiting->site.line() != 0 && !text.ends_with(place))
        text += describe("; the limit was set ", place);
    return timeout_error(text);
}

leave_answer leave(managed_block& block, loop_state& loop) noexcept {
    auto& self = static_cast<scope_block&>(block);
    self.scope->leave(loop);
    if (self.outcome->state != body_state::cancelled || !self.scope->absorb())
        return leave_answer::done;
    self.outcome->state = body_state::cut;
    // Rule K8: the deadline must have been the cause, not only have passed by now.
    if (self.scope->fails_at_deadline() && self.scope->has(scope_by_deadline)) {
        self.outcome->state = body_state::error;
        self.outcome->owner->error = std::make_exception_ptr(timeout_of(self));
    }
    return leave_answer::done;
}

}  // namespace

constinit const managed_block_kind scope_block::kind{"cancel scope", &scope_of, &leave};

}  // namespace anyio::lowlevel
