// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// block: a point at which the unwinding of a cancelled task may stop. It looks like a
/// coroutine frame to whatever it contains, but lives inside the frame that awaits it.

#include <anyio/lowlevel/loop_state.hpp>

namespace anyio::lowlevel {

struct block;

/// What a block does with a cancellation that has unwound everything inside it.
struct unwind_step {
    /// Resume this; null: nothing for now, the block will see to it.
    frame_link* resume = nullptr;
    /// Go on unwinding from the block's parent.
    bool pass_on = false;
};

/// The constant part of a block.
struct block_kind {
    /// Everything inside the block has been destroyed.
    unwind_step (*unwound)(block&, loop_state&) noexcept;
    /// For reports: "task group", "cancel scope", "shield".
    const char* name;
    /// The scope of the block; null: none.
    cancel_status* (*scope)(block&) noexcept;
};

/// A frame without a coroutine. `resume` is called when what it awaits has ended.
///
/// The first two members are what every compiler of the Itanium C++ ABI family puts at
/// the start of a coroutine frame, so that std::coroutine_handle works on it.
struct block {
    using function = void (*)(void*);

    constexpr block(function resume_function, const block_kind& k) noexcept
        : resume(resume_function), kind(&k) {}

    block(const block&) = delete;  // frames inside hold its address
    block& operator=(const block&) = delete;

    [[nodiscard]] static block& from(frame_link* link) noexcept {
        return *reinterpret_cast<block*>(
            reinterpret_cast<char*>(link) - promise_offset
        );
    }

    [[nodiscard]] static block& from(void* frame) noexcept {
        return *static_cast<block*>(frame);
    }

    function resume;
    function destroy = nullptr;  // never called: blocks are parts of other frames
    frame_link link{};
    const block_kind* kind;
};

/// What stands where the first frame of a task has its parent. One for all tasks of all
/// threads: nothing in it changes.
extern constinit block root_block;

[[nodiscard]] inline frame_link& root_link() noexcept {
    return root_block.link;
}

/// Destroys the frames of the current task from `leaf` outward until a block stops it.
///
/// @returns what to resume; null if the task waits, or has ended
[[nodiscard]] frame_link* unwind(loop_state& loop, frame_link* leaf) noexcept;

}  // namespace anyio::lowlevel
