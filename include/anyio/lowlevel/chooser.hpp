// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// chooser: who runs next, where the loop is free to say. For tests.

#include <cstddef>

namespace anyio::lowlevel {

/// Decides the order of ready tasks, instead of first come, first served. A program that is
/// right is right in any order; a chooser finds one in which it is not.
///
/// testing::random_order and testing::explore() are made of it.
///
/// @threads  loop
class chooser {
public:
    /// How far a choice reaches.
    enum class scope {
        /// Each task that is ready runs once before any runs again, as without a chooser.
        pass,
        /// Any ready task may be next, also the one that has just run.
        step,
    };

    explicit chooser(scope reach) noexcept : reach_(reach) {}

    virtual ~chooser() = default;

    chooser(const chooser&) = delete;  // a loop holds its address
    chooser& operator=(const chooser&) = delete;

    /// Called before each step, before the tasks to choose from are counted: what it makes
    /// ready may be the next to run. Must not throw.
    virtual void before_choice() noexcept {}

    /// Called before each step; makes nothing ready; must not throw.
    ///
    /// @param count  tasks to choose from, at least one
    /// @returns  which of them, less than `count`; 0 is the one that has waited longest
    virtual std::size_t choose(std::size_t count) noexcept = 0;

    [[nodiscard]] scope reach() const noexcept { return reach_; }

private:
    scope reach_;
};

}  // namespace anyio::lowlevel
