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
    if (!parent->is_block() || parent == &root_link()) return nullptr;
    auto& outer = static_cast<managed_block&>(block::from(parent));
    return outer.outcome == self.outcome ? &outer : nullptr;
}

}  // namespace

managed_block::managed_block(
    const managed_block_kind& k, body_outcome& shared
) noexcept
    : block(&body_ended, k), outcome(&shared) {}

void managed_block::body_ended(void* frame) {
    auto& self = static_cast<managed_block&>(block::from(frame));
    self.finish(*this_loop);
}

void managed_block::finish(loop_state& loop) noexcept {
    body_outcome& shared = *outcome;
    if (shared.state == body_state::running)
        shared.state = shared.owner->error ? body_state::error : body_state::value;
    for (managed_block* at = this;;) {
        if (kind_of(*at).leave(*at, loop) == leave_answer::wait) return;
        frame_link* const parent = at->link.parent;
        if (shared.state == body_state::cancelled) return unwind_now(loop, parent);
        managed_block* const outer = outer_block(*at);
        if (!outer) return continue_with(loop, parent);
        at = outer;
    }
}

// The unwinder has come to this block.
unwind_step managed_block::body_unwound(block& stopped, loop_state& loop) noexcept {
    auto& self = static_cast<managed_block&>(stopped);
    self.outcome->state = body_state::cancelled;
    if (kind_of(self).leave(self, loop) == leave_answer::wait) return {};
    if (self.outcome->state == body_state::cancelled) return {.pass_on = true};
    managed_block* const outer = outer_block(self);
    if (!outer) return {.resume = self.link.parent};
    outer->finish(loop);
    frame_link* const next = loop.next;
    loop.next = nullptr;
    return {.resume = next};
}

}  // namespace anyio::lowlevel
