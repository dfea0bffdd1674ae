// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ANYIO_SKIP_UNLESS: for tests that need what not every machine has.

#include <gtest/gtest.h>

/// Ends the test as skipped if `condition` does not hold. GTEST_SKIP returns, which a
/// coroutine cannot.
#define ANYIO_SKIP_UNLESS(condition, reason)                                           \
    if (condition) {                                                                   \
    } else {                                                                           \
        GTEST_MESSAGE_("", ::testing::TestPartResult::kSkip) << (reason);              \
        co_return;                                                                     \
    }
