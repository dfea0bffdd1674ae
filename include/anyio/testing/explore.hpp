// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// explore: a small scenario in every order of its steps, cancelled before each of them.
/// Manual: docs/manual/testing.md#exploring

#include <anyio/basics/body.hpp>
#include <anyio/basics/task.hpp>
#include <anyio/cancellation/cancel_scope.hpp>
#include <anyio/lowlevel/chooser.hpp>

#include <cstdint>
#include <deque>
#include <iosfwd>
#include <string>
#include <vector>

namespace anyio::testing {

/// What explore() has seen.
struct exploration {
    std::uint64_t schedules = 0;  ///< how often the scenario ran, each time differently
    bool complete = false;        ///< those were all there are
};

/// "explored 34650 schedules, complete"
std::ostream& operator<<(std::ostream& out, const exploration& seen);

/// Trivially destructible: see docs/manual/compilers.md.
struct explore_options {
    /// Gives up after so many.
    std::uint64_t most_schedules = 2'000'000;
};

/// What a scenario gets: its choices, and scopes that are cancelled at all times in turn.
///
/// @threads  loop
class explorer final : private lowlevel::chooser {
public:
    explicit explorer(explore_options options);
    ~explorer() override;

    /// A new scope for this schedule. It is cancelled before one of the steps that follow: in
    /// each schedule before another one, and in some never.
    ///
    /// ```
    /// co_await with(x.victim(), [&]() -> task<> { ... });
    /// ```
    [[nodiscard]] cancel_scope& victim();

    /// A choice of the scenario itself: less than `count`, every number in its turn.
    [[nodiscard]] std::size_t pick(std::size_t count);

    /// For explore().
    void begin_schedule();
    /// True: another one is to be run.
    [[nodiscard]] bool end_schedule();
    /// Reports which schedule it was.
    void note_failure();

    [[nodiscard]] exploration seen() const noexcept { return seen_; }

private:
    struct decision {
        std::size_t value;
        std::size_t count;
    };

    struct candidate {
        cancel_scope scope;
        bool done = false;
    };

    void before_choice() noexcept override;
    std::size_t choose(std::size_t count) noexcept override;
    std::size_t decide(std::size_t count) noexcept;
    [[nodiscard]] std::string tape() const;

    explore_options options_;
    std::vector<decision> tape_;
    std::size_t position_ = 0;
    std::deque<candidate> victims_;
    exploration seen_;
    lowlevel::chooser* before_ = nullptr;
    bool installed_ = false;
    bool replays_ = false;
    bool failed_ = false;      ///< which schedule it was has been said
    int failures_before_ = 0;  ///< of the test, which are not the scenario's
};

/// Runs `scenario(x)`, a coroutine, again and again in the task that awaits this: in every
/// order in which its tasks' steps can follow one another, and with each victim() cancelled
/// before each step. Ends at the first schedule in which a GoogleTest expectation fails, an
/// exception leaves the scenario or all tasks are blocked for ever, and says which it was;
/// `$ANYIO_TAPE` runs that one alone.
///
/// ```
/// const auto seen = co_await explore([&](explorer& x) -> task<> { ... });
/// EXPECT_TRUE(seen.complete) << seen;
/// ```
///
/// The number of orders grows quickly: three tasks of four steps have 34 650, and 400 000
/// with a cancellation. The scenario decides everything else itself, and always in the same
/// way: no random numbers, no real time, no order of addresses.
///
/// @throws        what the scenario throws
/// @checkpoint    as the scenario
/// @cancellation  cuts the scenario short
/// @threads       loop
template <class Scenario>
[[nodiscard]] task<exploration>
explore(Scenario&& scenario, explore_options options = {}) {
    anyio::detail::check_temporary_callable<Scenario>();
    explorer x(options);
    bool more = true;
    while (more) {
        x.begin_schedule();
        try {
            co_await scenario(x);
        } catch (...) {
            x.note_failure();
            throw;
        }
        more = x.end_schedule();
    }
    co_return x.seen();
}

}  // namespace anyio::testing
