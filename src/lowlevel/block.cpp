// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/block.hpp>

namespace anyio::lowlevel {

namespace {

unwind_step first_frame_unwound(block&, loop_state& loop) noexcept {
    loop.current->set(task_was_cancelled);
    loop.after |= after_step_finish;
    return {};
}

cancel_status* no_scope(block&) noexcept {
    return nullptr;
}

constexpr block_kind root_kind{&first_frame_unwound, "task", &no_scope};

}  // namespace

// Never resumed: the first frame of a task ends by itself.
constinit block root_block{nullptr, root_kind};

// From the innermost frame outward, without recursion. The owner of each frame forgets
// it before it goes, so that the destructor of the owner, in the next frame, does not
// destroy it again.
frame_link* unwind(loop_state& loop, frame_link* leaf) noexcept {
    for (frame_link* at = leaf;;) {
        frame_link* const parent = at->parent;
        if (at->is_block()) {
            block& stop = block::from(at);
            const unwind_step step = stop.kind->unwound(stop, loop);
            if (!step.pass_on)
                return step.resume;
        } else {
            at->owner->child = nullptr;
            loop.ended_site = at->site;
            loop.unwinding = true;
            handle_of(at).destroy();
            loop.unwinding = false;
        }
        at = parent;
    }
}

}  // namespace anyio::lowlevel
