// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// fault_sweep: a scenario, once for each call that it makes and each way that this call
/// can fail.

#include "faults/fault_plan.hpp"
#include "support/anyio_test.hpp"

#include <string>
#include <vector>

namespace support {

/// What is played, and what it promises beyond the table.
struct scenario {
    const char* name;
    /// Checks what it gets with demand(). Must end by itself.
    anyio::task<> (*body)();
    /// Whether this fault, which others may report, is overcome here.
    bool (*overcomes)(const fault& f) = nullptr;
    /// What it says on stderr is left out.
    bool is_noisy = false;
};

/// Ends a scenario whose results are wrong. Not a documented error, so it is a failure.
void demand(bool holds, const char* what);

/// Plays the scenario without a fault, then with one, at each hit, on every backend.
/// Each run must succeed, or, unless the fault is one to be overcome, fail with an error of
/// a documented type that names it; it must end; and it must leave no descriptor and no
/// frame behind. Prints how much was tried.
void sweep(const scenario& played);

/// Every way to fail that is tried.
[[nodiscard]] const std::vector<fault>& known_faults();

}  // namespace support

/// A scenario with its sweep, as a test.
#define ANYIO_FAULT_SWEEP(name, ...)                                                   \
    static ::anyio::task<> scenario_##name();                                          \
    TEST(fault_sweep, name) {                                                          \
        ::support::sweep({#name, &scenario_##name __VA_OPT__(, ) __VA_ARGS__});        \
    }                                                                                  \
    static ::anyio::task<> scenario_##name()
