// SPDX-License-Identifier: MIT
#include <anyio/basics/task.hpp>
#include "support/anyio_test.hpp"

#include <algorithm>
#include <cstdint>

using namespace anyio;
using namespace std::chrono_literals;

// g++ makes no tail calls of symmetric transfers at -O0; the stack must not grow with the
// number of awaits all the same, whatever is awaited.
namespace {

/// Notes how far down the stack reaches.
class plumb_line {
public:
    ANYIO_NOINLINE void drop() {
        const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        low_ = std::min(low_, here);
        high_ = std::max(high_, here);
    }

    [[nodiscard]] std::uintptr_t length() const { return high_ - low_; }

private:
    std::uintptr_t low_ = ~std::uintptr_t{0};
    std::uintptr_t high_ = 0;
};

// How far frames may call each other before they return to the loop, and some more: under
// sanitizers each function takes much more.
constexpr std::uintptr_t limit = (ANYIO_SANITIZED ? 1024 : 256) * std::uintptr_t{1024};

constexpr int many = 1'000'000;
constexpr int some = 100'000;

task<int> at_once(plumb_line& line, int value) {
    line.drop();
    co_return value;
}

}  // namespace

ANYIO_TEST(stack, does_not_grow_with_a_million_operations_that_complete_at_once) {
    plumb_line line;
    event set;
    set.set();
    for (int i = 0; i < many; ++i) {
        co_await set.wait();
        line.drop();
    }
    for (int i = 0; i < some; ++i) {
        co_await lowlevel::checkpoint_if_cancelled();
        line.drop();
    }
    EXPECT_LT(line.length(), limit);
}

ANYIO_TEST(stack, does_not_grow_with_a_million_calls_that_complete_at_once) {
    plumb_line line;
    int sum = 0;
    for (int i = 0; i < many; ++i) {
        sum += co_await at_once(line, 1);
        line.drop();
    }
    EXPECT_EQ(sum, many);
    EXPECT_LT(line.length(), limit);
}

ANYIO_TEST(stack, does_not_grow_with_a_million_blocks) {
    plumb_line line;
    for (int i = 0; i < many; ++i) {
        co_await with(cancel_scope(), [&]() -> task<> {
            line.drop();
            co_return;
        });
        line.drop();
    }
    EXPECT_LT(line.length(), limit);
}

ANYIO_TEST(stack, does_not_grow_with_blocks_around_plain_functions_or_groups) {
    plumb_line line;
    for (int i = 0; i < some; ++i) {
        co_await with(cancel_scope(), [&] { line.drop(); });
        co_await with(create_task_group(), [&](task_group&) { line.drop(); });
        line.drop();
    }
    EXPECT_LT(line.length(), limit);
}

ANYIO_TEST(stack, does_not_grow_with_the_short_forms) {
    plumb_line line;
    event set;
    set.set();
    for (int i = 0; i < some; ++i) {
        co_await shielded(at_once(line, 1));
        co_await move_on_after(1s, at_once(line, 1));
        co_await fail_after(1s, set.wait());
        auto value = co_await as_outcome(at_once(line, 1));
        EXPECT_TRUE(value.has_value());
        co_await std::move(value).unwrap();
        line.drop();
    }
    EXPECT_LT(line.length(), limit);
}

ANYIO_TEST(stack, does_not_grow_with_blocks_that_are_cut_short) {
    plumb_line line;
    for (int i = 0; i < some; ++i) {
        co_await with(cancel_scope(), [&](cancel_scope& scope) -> task<> {
            scope.cancel();
            line.drop();
            co_await at_once(line, 1);
            co_await lowlevel::checkpoint();
        });
        co_await move_on_after(0s, lowlevel::checkpoint());
        line.drop();
    }
    EXPECT_LT(line.length(), limit);
}

ANYIO_TEST(stack, does_not_grow_with_calls_that_yield) {
    plumb_line line;
    const auto yields = [&]() -> task<> {
        co_await lowlevel::checkpoint();
        line.drop();
    };
    for (int i = 0; i < some; ++i) {
        co_await yields();
        line.drop();
    }
    EXPECT_LT(line.length(), limit);
}

ANYIO_TEST(stack, does_not_grow_with_exceptions) {
    plumb_line line;
    const auto throws = [&]() -> task<> {
        line.drop();
        throw std::runtime_error("no");
        co_return;
    };
    for (int i = 0; i < 5'000; ++i) {
        bool caught = false;
        try {
            co_await throws();
        } catch (const std::runtime_error&) {
            caught = true;
            line.drop();
        }
        EXPECT_TRUE(caught);
    }
    EXPECT_LT(line.length(), limit);
}

ANYIO_TEST(stack, does_not_grow_with_tasks_that_end_each_other) {
    plumb_line line;
    for (int i = 0; i < 1'000; ++i) {
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            event done;
            tg.start_soon([&]() -> task<> {
                line.drop();
                done.set();
                co_return;
            });
            co_await done.wait();
            line.drop();
        });
    }
    EXPECT_LT(line.length(), limit);
}

// --- depth ----------------------------------------------------------------------------

namespace {

enum class bottom { returns, yields, throws };

task<int> down(plumb_line& line, int depth, bottom what) {
    line.drop();
    if (depth == 0) {
        if (what == bottom::throws)
            throw std::runtime_error("from the bottom");
        if (what == bottom::yields)
            co_await lowlevel::checkpoint();
        co_return 0;
    }
    const int below = co_await down(line, depth - 1, what);
    line.drop();
    co_return below + 1;
}

task<int> down_in_blocks(plumb_line& line, int depth) {
    line.drop();
    if (depth == 0) {
        co_await lowlevel::checkpoint();
        co_return 0;
    }
    const auto below = co_await with(cancel_scope(), [&]() -> task<int> {
        return down_in_blocks(line, depth - 1);
    });
    line.drop();
    co_return below.value_or(-1'000'000) + 1;
}

task<int> down_in_outcomes(plumb_line& line, int depth) {
    line.drop();
    if (depth == 0)
        co_return 0;
    auto below = co_await as_outcome(down_in_outcomes(line, depth - 1));
    line.drop();
    co_return std::move(below).value() + 1;
}

}  // namespace

ANYIO_TEST(stack, does_not_grow_with_the_depth_of_calls) {
    plumb_line line;
    const int returned = co_await down(line, some, bottom::returns);
    EXPECT_EQ(returned, some);
    const int yielded = co_await down(line, some, bottom::yields);
    EXPECT_EQ(yielded, some);
    const int blocks = co_await down_in_blocks(line, some);
    EXPECT_EQ(blocks, some);
    const int outcomes = co_await down_in_outcomes(line, some);
    EXPECT_EQ(outcomes, some);
    EXPECT_LT(line.length(), limit);
}

ANYIO_TEST(stack, does_not_grow_with_the_depth_that_an_exception_climbs) {
    plumb_line line;
    bool caught = false;
    try {
        co_await down(line, 20'000, bottom::throws);
    } catch (const std::runtime_error&) {
        caught = true;
    }
    EXPECT_TRUE(caught);
    EXPECT_LT(line.length(), limit);
}
