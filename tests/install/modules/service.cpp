// SPDX-License-Identifier: MIT
#include "../tour.hpp"

[[gnu::visibility("default")]] anyio::task<int> service() {
    const int right = co_await tour::visit();
    co_return right;
}

[[gnu::visibility("default")]] anyio::task<> failing_service() {
    return tour::fail();
}
