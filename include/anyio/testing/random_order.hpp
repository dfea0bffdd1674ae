// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// random_order: ready tasks run in an order that a seed decides.
/// Manual: docs/manual/testing.md#order

#include <anyio/lowlevel/chooser.hpp>

#include <cstdint>

namespace anyio::testing {

/// Tests that hold in the order in which tasks became ready, and in no other, have not
/// found their bugs yet. The same seed gives the same order.
///
/// ```
/// random_order order(42);
/// run({.clock = &clock, .chooser = &order}, main_task);
/// ```
///
/// Every ready task still runs once before any runs again, as checkpoint() promises. Tests
/// made with ANYIO_TEST do this when `$ANYIO_SEED` is set.
///
/// @threads  loop
/// @anyio    trio's random order of a batch
class random_order final : public lowlevel::chooser {
public:
    explicit random_order(std::uint64_t seed) noexcept
        : chooser(scope::pass), state_(seed) {}

    std::size_t choose(std::size_t count) noexcept override;

private:
    std::uint64_t state_;
};

}  // namespace anyio::testing
