// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/managed_block.hpp>

namespace anyio::lowlevel {

namespace {

const managed_block_kind& kind_of(const managed_block& self) noexcept {
    return static_cast<const managed_block_kind&>(*self.kind);
}

// The block around this one in the same `with`, or null. Blocks of another `with` have a
// coroutine in between, or another outcome.
managed_block* outer_block(const managed_block& self) noexcept {
    frame_link* const parent = self.link.parent;
    if (!parent->is_block() || parent == &root_link())
        return nullptr;
    auto& outer = static_cast<managed_block&>(block::from(parent));
    return outer.outcome == self.outcome ? &outer : nullptr;
}

managed_block& outermost(managed_block& self) noexcept {
    managed_block* at = &self;
    while (managed_block* const outer = outer_block(*at))
        at = outer;
    return *at;
}

}  // namespace

managed_block::managed_block(const managed_block_kind& k, body_outcome& shared) noexcept
    : block(&body_ended, k), outcome(&shared) {}

void managed_block::body_ended(void* frame) {
    auto& self = static_cast<managed_block&>(block::from(frame));
    loop_state& loop = *this_loop;
    if (self.leave_all(loop))
        continue_with(loop, outermost(self).link.parent);
}

bool managed_block::leave_all(loop_state& loop) noexcept {
    body_outcome& shared = *outcome;
    if (shared.state == body_state::running)
        shared.state = shared.owner->error ? body_state::error : body_state::value;
    for (managed_block* at = this;;) {
        if (kind_of(*at).leave(*at, loop) == leave_answer::wait)
            return false;
        if (shared.state == body_state::cancelled) {
            unwind_now(loop, at->link.parent);
            return false;
        }
        managed_block* const outer = outer_block(*at);
        if (!outer)
            return true;
        at = outer;
    }
}

// The unwinder has come to this block.
unwind_step managed_block::body_unwound(block& stopped, loop_state& loop) noexcept {
    auto& self = static_cast<managed_block&>(stopped);
    self.outcome->state = body_state::cancelled;
    if (kind_of(self).leave(self, loop) == leave_answer::wait)
        return {};
    if (self.outcome->state == body_state::cancelled)
        return {.pass_on = true};
    managed_block* const outer = outer_block(self);
    if (outer && !outer->leave_all(loop))
        return {};
    return {.resume = outermost(self).link.parent};
}

}  // namespace anyio::lowlevel
