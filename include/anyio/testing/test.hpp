// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ANYIO_TEST: a GoogleTest test that is a task, on every backend and on virtual time.
/// Manual: docs/manual/testing.md

#include <anyio/basics/task.hpp>

#include <gtest/gtest.h>

namespace anyio::testing::detail {

/// Registers `body` once for each available backend.
bool register_test(
    const char* suite, const char* name, const char* file, int line, task<> (*body)()
);

}  // namespace anyio::testing::detail

/// A test whose body is a task: `ANYIO_TEST(event, wakes_every_waiter) { co_await ... }`.
///
/// It runs once on every available backend, as `suite.name/backend`, under a
/// virtual_clock, and fails if it ends with other coroutine frames or open descriptors
/// than it began with. Use EXPECT_* as usual; ASSERT_* returns, which a coroutine cannot:
/// use ANYIO_REQUIRE. No co_await inside the macros: await into a variable first.
///
/// With `$ANYIO_SEED` set, to a number or to "random", ready tasks run in a random order; a
/// failure prints the seed.
#define ANYIO_TEST(suite, name)                                                        \
    static ::anyio::task<> anyio_test_##suite##_##name();                              \
    [[maybe_unused]] static const bool anyio_test_registered_##suite##_##name =        \
        ::anyio::testing::detail::register_test(                                       \
            #suite, #name, __FILE__, __LINE__, &anyio_test_##suite##_##name            \
        );                                                                             \
    static ::anyio::task<> anyio_test_##suite##_##name()

/// Ends the task if `condition` does not hold.
#define ANYIO_REQUIRE(condition)                                                       \
    if (condition) {                                                                   \
    } else {                                                                           \
        ADD_FAILURE() << "required: " #condition;                                      \
        co_return;                                                                     \
    }
