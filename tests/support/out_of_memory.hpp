// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Scenarios in which each allocation fails in turn. One source file of a test program may
/// include it: see replaced_new.hpp.

#include "support/anyio_test.hpp"
#include "support/replaced_new.hpp"

#include <new>
#include <utility>

namespace support {

/// Allocations that a scenario may need.
constexpr long most_allocations = 200;

inline bool is_lack_of_memory(const std::exception_ptr& error) {
    if (const auto* group = anyio::caught_as<anyio::exception_group>(error))
        return group->contains<std::bad_alloc>();
    return is_error<std::bad_alloc>(error);
}

/// Calls `scenario` with 0, 1, 2, ... allocations until it does not throw; every error on
/// the way must be a lack of memory.
template <class Scenario>
void with_more_and_more_memory(Scenario scenario) {
    for (long n = 0; n < most_allocations; ++n) {
        std::exception_ptr error;
        allocations_left = n;
        try {
            scenario();
        } catch (...) {
            error = std::current_exception();
        }
        allocations_left = unlimited;
        if (!error)
            return;
        EXPECT_TRUE(is_lack_of_memory(error)) << message_of(error);
    }
    ADD_FAILURE() << "failed with plenty of memory";
}

/// Awaits what `scenario` returns in the same way.
template <class Scenario>
anyio::task<> await_with_more_and_more_memory(Scenario scenario) {
    for (long n = 0; n < most_allocations; ++n) {
        std::exception_ptr error;
        allocations_left = n;
        try {
            co_await scenario();
        } catch (...) {
            error = std::current_exception();
        }
        allocations_left = unlimited;
        if (!error)
            co_return;
        EXPECT_TRUE(is_lack_of_memory(error)) << message_of(error);
    }
    ADD_FAILURE() << "failed with plenty of memory";
}

}  // namespace support
