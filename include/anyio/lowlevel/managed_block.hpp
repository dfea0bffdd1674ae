// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// managed_block: a block around a body, with something to do when the body has ended.
/// What `with` is made of; cancel scopes and task groups derive from it.

#include <anyio/lowlevel/block.hpp>

namespace anyio::lowlevel {

/// How a block stands. The error, if there is one, is the owner's.
enum class body_state : std::uint8_t {
    running,
    value,  ///< the body has ended, or nothing ran that could fail
    error,
    cancelled,  ///< the body was unwound, and so is what is around it
    cut,        ///< the body was unwound, and a scope of this block caught that
};

/// How the body of a `with` has ended, for all of its blocks.
struct body_outcome {
    frame_owner* owner = nullptr;  ///< of the body's coroutine
    body_state state = body_state::running;
};

struct managed_block;

/// Whether leave() has left.
enum class leave_answer : std::uint8_t {
    done,
    wait,  ///< the task is parked at this block's link; leave() will be called again
};

/// The constant part of a managed_block.
struct managed_block_kind : block_kind {
    constexpr managed_block_kind(
        const char* block_name,
        cancel_status* (*block_scope)(block&) noexcept,
        leave_answer (*leave_function)(managed_block&, loop_state&) noexcept
    ) noexcept;

    /// What there is to do once the body has ended, as `outcome` says. May change it.
    leave_answer (*leave)(managed_block&, loop_state&) noexcept;
};

/// Blocks of one `with` share the outcome, and each is the parent of the next.
struct managed_block : block {
    managed_block(const managed_block_kind& k, body_outcome& shared) noexcept
        : block(&body_ended, k), outcome(&shared) {}

    /// Leaves this block and those around it in the same `with`, as far as possible
    /// without waiting.
    ///
    /// @returns  whoever awaits the outermost, and goes on, if all have been left. Null:
    ///           the task waits, or unwinds when its frames return to the loop
    [[nodiscard]] frame_link* leave_all(loop_state& loop) noexcept;

    body_outcome* outcome;

private:
    friend managed_block_kind;

    static void body_ended(void* frame);
    static unwind_step body_unwound(block& self, loop_state& loop) noexcept;
};

constexpr managed_block_kind::managed_block_kind(
    const char* block_name,
    cancel_status* (*block_scope)(block&) noexcept,
    leave_answer (*leave_function)(managed_block&, loop_state&) noexcept
) noexcept
    : block_kind{&managed_block::body_unwound, block_name, block_scope},
      leave(leave_function) {}

}  // namespace anyio::lowlevel
