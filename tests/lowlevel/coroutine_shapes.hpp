// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What the torture tests of the compilers share: a gate, at which a coroutine stops,
/// fails or is cancelled, and a function that tries every way through a coroutine.

#include "support/anyio_test.hpp"
#include "support/census.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace shapes {

using anyio::task;
using support::counted;

/// Thrown at a gate.
struct stopped_here {};

/// Where a coroutine may stop: numbered in the order in which it comes by.
class gate {
public:
    enum class way { through, throws, cancelled };

    gate(way w, int at, bool waits, anyio::cancel_scope& scope)
        : way_(w), at_(at), waits_(waits), scope_(&scope) {}

    /// An operation: takes arguments with destructors, yields a value with one.
    class [[nodiscard]] operation : public anyio::lowlevel::awaitable_base {
    public:
        operation(gate& g, counted argument)
            : gate_(&g), argument_(std::move(argument)) {}

        [[nodiscard]] bool await_ready() { return gate_->come_by(); }

        void await_suspend(anyio::lowlevel::awaiting_frame handle) {
            anyio::lowlevel::checkpoint().await_suspend(handle);
        }

        counted await_resume() { return counted(gate_->people, argument_.value()); }

    private:
        gate* gate_;
        counted argument_;
    };

    /// The same with nothing in and out.
    class [[nodiscard]] stop_operation : public anyio::lowlevel::awaitable_base {
    public:
        explicit stop_operation(gate& g) : gate_(&g) {}

        [[nodiscard]] bool await_ready() { return gate_->come_by(); }

        void await_suspend(anyio::lowlevel::awaiting_frame handle) {
            anyio::lowlevel::checkpoint().await_suspend(handle);
        }

        void await_resume() {}

    private:
        gate* gate_;
    };

    [[nodiscard]] stop_operation stop() { return stop_operation(*this); }

    [[nodiscard]] operation pass(counted argument) {
        return {*this, std::move(argument)};
    }

    /// A called coroutine with a parameter by value, a local, and a result.
    task<counted> call(counted argument, std::string text = std::string(40, 't')) {
        const counted local(people, 1);
        co_await stop();
        co_return counted(
            people, argument.value() + static_cast<int>(text.size()) - 40
        );
    }

    task<std::pair<counted, counted>> pair(counted first, counted second) {
        co_await stop();
        co_return std::pair<counted, counted>(std::move(first), std::move(second));
    }

    /// A stream of three.
    task<std::optional<counted>> next() {
        co_await stop();
        if (++streamed_ > 3)
            co_return std::nullopt;
        co_return counted(people, streamed_);
    }

    task<std::vector<counted>> list(int size) {
        std::vector<counted> result;
        for (int i = 0; i < size; ++i)
            result.emplace_back(people, i + 1);
        co_await stop();
        co_return result;
    }

    task<bool> yes(counted) {
        co_await stop();
        co_return true;
    }

    [[nodiscard]] counted make(int value) { return counted(people, value); }

    [[nodiscard]] int visits() const noexcept { return visits_; }

    support::census people;

private:
    /// False: suspend.
    bool come_by() {
        if (visits_++ == at_) {
            if (way_ == way::throws)
                throw stopped_here();
            if (way_ == way::cancelled) {
                scope_->cancel();
                return false;
            }
        }
        return !waits_;
    }

    way way_;
    int at_;
    bool waits_;
    anyio::cancel_scope* scope_;
    int visits_ = 0;
    int streamed_ = 0;
};

/// A coroutine to be tried; true if it saw the values that it should see.
using shape = task<bool> (*)(gate&);

/// Runs `tested` to its end, and then once for each gate and each way to leave there.
inline task<> try_every_way(shape tested, const char* name) {
    for (const bool waits : {false, true}) {
        int gates = 1;
        for (int at = -1; at < gates; ++at) {
            for (const auto way : {gate::way::throws, gate::way::cancelled}) {
                anyio::cancel_scope scope;
                gate g(at < 0 ? gate::way::through : way, at, waits, scope);
                const auto body = [&]() -> task<bool> {
                    const bool right = co_await tested(g);
                    co_await anyio::lowlevel::checkpoint(
                    );  // if a shield was in the way
                    co_return right;
                };
                const auto block = [&]() -> task<std::optional<bool>> {
                    std::optional<bool> result = co_await anyio::with(scope, body);
                    co_return result;
                };
                anyio::outcome<std::optional<bool>> ended =
                    co_await anyio::as_outcome(block());
                const std::string where =
                    std::string(name) + (waits ? ", waits" : ", ready") + ", at gate " +
                    std::to_string(at) +
                    (way == gate::way::throws ? ", throws" : ", cancelled");
                if (at < 0) {
                    gates = g.visits();
                    EXPECT_GT(g.people.born(), 0) << where << ": it tests nothing";
                    EXPECT_TRUE(ended.has_value()) << where;
                    EXPECT_EQ(ended.value(), true) << where;
                } else if (way == gate::way::throws) {
                    EXPECT_TRUE(ended.has_error()) << where;
                } else {
                    EXPECT_TRUE(ended.has_value()) << where;
                    EXPECT_EQ(ended.value(), std::nullopt) << where;
                }
                EXPECT_EQ(g.people.alive(), 0) << where;
                EXPECT_EQ(g.people.mistakes(), 0) << where;
            }
        }
        EXPECT_GT(gates, 0) << name << ": it has no gate";
    }
}

}  // namespace shapes

/// A shape of coroutine that users write, tried in every way: `SHAPE(name, g) { ... }`
/// returns whether it saw the values that it should see.
#define SHAPE(name, g)                                                                 \
    static ::shapes::task<bool> shape_##name(::shapes::gate& g);                       \
    ANYIO_TEST(coroutine_shapes, name) {                                               \
        co_await ::shapes::try_every_way(&shape_##name, #name);                        \
    }                                                                                  \
    static ::shapes::task<bool> shape_##name(::shapes::gate& g)
