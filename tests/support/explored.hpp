// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// How a scenario is explored in the tests of this library: to the end.

#include <anyio/testing/explore.hpp>

#include <gtest/gtest.h>

#include <iostream>

namespace support {

/// Explores all there is, and says how much that was.
template <class Scenario>
anyio::task<> explore_all(Scenario& scenario) {
    const auto seen = co_await anyio::testing::explore(scenario);
    EXPECT_TRUE(seen.complete) << seen;
    EXPECT_GT(seen.schedules, 20u);
    std::cout << seen << "\n";
}

}  // namespace support
