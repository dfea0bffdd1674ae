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

}  // namespace

// Called instead of a coroutine, so it cannot transfer to one; it calls it if the stack
// allows that.
void managed_block::body_ended(void* frame) {
    auto& self = static_cast<managed_block&>(block::from(frame));
    loop_state& loop = *this_loop;
    frame_link* const next = self.leave_all(loop);
    if (!next)
        return;
    if (!stack_is_shallow(loop)) [[unlikely]]
        return continue_with(loop, next);
    handle_of(next).resume();
}

frame_link* managed_block::leave_all(loop_state& loop) noexcept {
    body_outcome& shared = *outcome;
    if (shared.state == body_state::running)
        shared.state = shared.owner->error ? body_state::error : body_state::value;
    for (managed_block* at = this;;) {
        if (kind_of(*at).leave(*at, loop) == leave_answer::wait)
            return nullptr;
        frame_link* const around = at->link.parent;
        if (shared.state == body_state::cancelled) [[unlikely]] {
            unwind_now(loop, around);
            return nullptr;
        }
        at = outer_block(*at);
        if (!at)
            return around;
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
    return {.resume = outer ? outer->leave_all(loop) : self.link.parent};
}

}  // namespace anyio::lowlevel
