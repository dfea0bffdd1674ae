// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// sequencer: pieces of code in different tasks run in the order of their numbers.
/// Manual: docs/manual/testing.md#order

#include <anyio/lowlevel/parking_lot.hpp>

#include <map>
#include <utility>

namespace anyio::testing {

class sequencer;

namespace detail {
class turn_operation;
}

/// The turn of one number; when it goes, the next number's turn has come.
///
/// @threads  loop
class sequencer_turn {
public:
    sequencer_turn(sequencer_turn&& other) noexcept
        : of_(std::exchange(other.of_, nullptr)) {}

    sequencer_turn& operator=(sequencer_turn&& other) noexcept {
        sequencer_turn taken(std::move(other));  // what this was goes with it
        std::swap(of_, taken.of_);
        return *this;
    }

    ~sequencer_turn();

private:
    friend detail::turn_operation;

    explicit sequencer_turn(sequencer& of) noexcept : of_(&of) {}

    sequencer* of_;
};

/// Lets tests fix an order across tasks:
///
/// ```
/// sequencer order;
/// tg.start_soon([&]() -> task<> { auto turn = co_await order(0); ... });
/// tg.start_soon([&]() -> task<> { auto turn = co_await order(1); ... });
/// ```
///
/// Also as a block: `co_await with(order(2), [&](sequencer_turn&) { ... })`.
///
/// If a task is cancelled while it waits for its turn, that turn can never pass on: the
/// sequencer is broken, and all others get a broken_resource_error. It outlives its tasks.
///
/// @threads  loop
/// @anyio    trio.testing.Sequencer
class sequencer {
public:
    sequencer() noexcept = default;

    sequencer(const sequencer&) = delete;  // waiting tasks hold its address
    sequencer& operator=(const sequencer&) = delete;

    /// Waits until all smaller numbers have had their turns, from 0 on.
    ///
    /// @throws usage_error            if the number was used before, or is in use
    /// @throws broken_resource_error  if the sequencer is broken
    /// @checkpoint    always
    /// @cancellation  breaks the sequencer
    [[nodiscard]] detail::turn_operation operator()(std::size_t number);

private:
    friend detail::turn_operation;
    friend sequencer_turn;

    void next() noexcept;
    void break_all() noexcept;

    std::size_t turn_ = 0;
    bool taken_ = false;  ///< somebody has this turn
    bool broken_ = false;
    std::map<std::size_t, detail::turn_operation*> waiting_;
};

namespace detail {

/// See sequencer.
class [[nodiscard]] turn_operation : public lowlevel::operation<turn_operation> {
public:
    turn_operation(sequencer& of, std::size_t number) noexcept
        : operation(kind_), of_(&of), number_(number) {}

    [[nodiscard]] bool try_complete();

    void start() noexcept {}

    sequencer_turn await_resume();

private:
    friend sequencer;

    static lowlevel::abort_result aborted(lowlevel::wait_record& record) noexcept;
    static const lowlevel::wait_kind kind_;

    sequencer* of_;
    std::size_t number_;
};

}  // namespace detail

inline detail::turn_operation sequencer::operator()(std::size_t number) {
    return {*this, number};
}

inline sequencer_turn::~sequencer_turn() {
    if (of_)
        of_->next();
}

}  // namespace anyio::testing
