// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/scope_block.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>

namespace anyio::lowlevel {

namespace {

cancel_status* scope_of(block& self) noexcept {
    return static_cast<scope_block&>(self).scope;
}

leave_answer leave(managed_block& block, loop_state& loop) noexcept {
    auto& self = static_cast<scope_block&>(block);
    self.scope->leave(loop);
    if (self.outcome->state != body_state::cancelled || !self.scope->absorb())
        return leave_answer::done;
    self.outcome->state = body_state::cut;
    // Rule K8: the deadline must have been the cause, not only have passed by now.
    if (self.timeout_is_error && self.scope->has(scope_by_deadline)) {
        self.outcome->state = body_state::error;
        self.outcome->owner->error =
            std::make_exception_ptr(timeout_error("fail_after: the deadline has passed")
            );
    }
    return leave_answer::done;
}

}  // namespace

constinit const managed_block_kind scope_block::kind{"cancel scope", &scope_of, &leave};

}  // namespace anyio::lowlevel
