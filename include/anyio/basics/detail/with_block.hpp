// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// with_block_await: `with` for cancel scopes, task groups and state. The blocks are parts
/// of this awaiter, so of the awaiting frame; only the body has a frame of its own.

#include <anyio/basics/body.hpp>
#include <anyio/lowlevel/managed_block.hpp>

#include <tuple>
#include <utility>

namespace anyio::detail {

template <class A>
struct with_argument {
    A& value;
    lowlevel::body_outcome& outcome;
};

/// One argument of `with`: a manager with its block, or state.
template <class A>
class with_slot {
public:
    explicit with_slot(with_argument<A> argument) noexcept : state_(&argument.value) {}

    std::tuple<A&> subject() noexcept { return {*state_}; }

    std::tuple<A&> needed_subject() noexcept { return {*state_}; }

    lowlevel::managed_block* enter(frame_link*, loop_state&) noexcept {
        return nullptr;
    }

private:
    A* state_;
};

template <block_manager A>
class with_slot<A> {
    using block_type = typename A::with_block;

public:
    explicit with_slot(with_argument<A> argument) noexcept
        : block_(argument.value, argument.outcome) {}

    auto subject() noexcept {
        return std::tuple<decltype(block_.subject())>(block_.subject());
    }

    auto needed_subject() noexcept {
        if constexpr (block_type::subject_is_optional)
            return std::tuple<>();
        else
            return subject();
    }

    /// @throws usage_error  if the manager has served a block already
    lowlevel::managed_block* enter(frame_link* around, loop_state& loop) {
        block_.enter(loop);
        block_.link.parent = around;
        return &block_;
    }

private:
    block_type block_;
};

template <class Body, class... A>
class [[nodiscard("with() does nothing until you co_await it")]] with_block_await
    : public lowlevel::awaitable_base {
    using subjects =
        decltype(std::tuple_cat(std::declval<with_slot<A>&>().subject()...));
    using needed =
        decltype(std::tuple_cat(std::declval<with_slot<A>&>().needed_subject()...));
    using returned = decltype(call_body(
        std::declval<Body&>(), std::declval<subjects>(), std::declval<needed>()
    ));
    using value = typename body_result<returned>::type;

public:
    explicit with_block_await(Body& body, A&... arguments) noexcept
        : body_(&body), outcome_{&result_},
          slots_(with_argument<A>{arguments, outcome_}...) {}

    ~with_block_await() {
        if (result_.child)
            handle_of(result_.child).destroy();
    }

    void attach(frame_link& parent) noexcept { parent_ = &parent; }

    [[nodiscard]] bool await_ready() noexcept {
        loop_state& loop = *lowlevel::this_loop;
        frame_link* around = parent_;
        lowlevel::managed_block* innermost = nullptr;
        try {
            std::apply(
                [&](auto&... slot) { (enter(slot, around, innermost, loop), ...); },
                slots_
            );
            if constexpr (is_task<returned>) {
                frame_link* const body = call().release();
                if (!body) [[unlikely]]
                    throw_spent_task();
                body->parent = around;
                body->owner = &result_;
                result_.child = body;
                if (!call_frame(loop, result_))
                    return false;
            } else {
                call();
            }
        } catch (...) {
            result_.error = std::current_exception();
        }
        if (innermost && !innermost->leave_all(loop))
            return false;
        complete_ = true;
        return spend_budget(loop);  // a loop of empty blocks lets others run, too
    }

    void await_suspend(lowlevel::awaiting_frame handle) noexcept {
        loop_state& loop = *lowlevel::this_loop;
        if (complete_) [[unlikely]]
            return budget_spent(loop, lowlevel::link_of(handle));
        if (result_.child)
            leave_frame(loop, result_);
    }

    with_result<value> await_resume() {
        if (result_.child) {
            handle_of(result_.child).destroy();
            result_.child = nullptr;
        }
        if (result_.error) [[unlikely]]
            std::rethrow_exception(std::move(result_.error));
        if constexpr (std::is_void_v<value>) {
            return outcome_.state != lowlevel::body_state::cut;
        } else {
            if (outcome_.state == lowlevel::body_state::cut)
                return std::nullopt;
            return result_.take();
        }
    }

private:
    template <class Slot>
    static void enter(
        Slot& slot,
        frame_link*& around,
        lowlevel::managed_block*& innermost,
        loop_state& loop
    ) {
        if (auto* entered = slot.enter(around, loop)) {
            innermost = entered;
            around = &entered->link;
        }
    }

    decltype(auto) call() {
        return std::apply(
            [&](auto&... slot) -> decltype(auto) {
                return call_body(
                    *body_,
                    std::tuple_cat(slot.subject()...),
                    std::tuple_cat(slot.needed_subject()...)
                );
            },
            slots_
        );
    }

    Body* body_;
    frame_link* parent_ = nullptr;
    result_slot<value> result_;
    lowlevel::body_outcome outcome_;
    bool complete_ = false;  // without having waited
    std::tuple<with_slot<A>...> slots_;
};

}  // namespace anyio::detail
