// SPDX-License-Identifier: MIT
#include <anyio/cancellation/cancel_scope.hpp>
#include "support/anyio_test.hpp"

#include <array>
#include <deque>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;

namespace {

constexpr std::size_t levels = 4;

struct nest {
    std::array<cancel_scope, levels> scopes;
    std::array<bool, levels> finished{};
    std::size_t continued = levels;  ///< the level at which the code went on

    task<> enter(std::size_t level, unsigned cancelled) {
        if (level == levels) {
            for (std::size_t i = 0; i < levels; ++i)
                if ((cancelled >> i & 1u) != 0)
                    scopes[i].cancel();
            co_await lowlevel::checkpoint();
            co_return;
        }
        finished[level] = co_await with(scopes[level], [&]() -> task<> {
            return enter(level + 1, cancelled);
        });
        if (!finished[level])
            continued = level;
    }
};

}  // namespace

ANYIO_TEST(nested_scopes, the_outermost_cancelled_one_catches_and_no_other) {
    for (unsigned cancelled = 1; cancelled < 1u << levels; ++cancelled) {
        nest scopes;
        co_await scopes.enter(0, cancelled);
        const auto outermost = static_cast<std::size_t>(__builtin_ctz(cancelled));
        EXPECT_EQ(scopes.continued, outermost) << cancelled;
        for (std::size_t i = 0; i < levels; ++i) {
            EXPECT_EQ(scopes.scopes[i].cancelled_caught(), i == outermost) << cancelled;
            EXPECT_EQ(scopes.scopes[i].cancel_called(), (cancelled >> i & 1u) != 0);
            EXPECT_EQ(scopes.finished[i], i < outermost) << cancelled;
        }
        co_await lowlevel::checkpoint();  // all over
    }
}

ANYIO_TEST(nested_scopes, of_one_block_count_in_the_order_in_which_they_are_written) {
    cancel_scope outer;
    cancel_scope middle;
    cancel_scope inner;
    const bool finished = co_await with(outer, middle, inner, [&]() -> task<> {
        inner.cancel();
        middle.cancel();
        co_await lowlevel::checkpoint();
    });
    EXPECT_FALSE(finished);
    EXPECT_FALSE(outer.cancelled_caught());
    EXPECT_TRUE(middle.cancelled_caught());
    EXPECT_FALSE(inner.cancelled_caught());
}

ANYIO_TEST(nested_scopes, an_inner_one_that_is_cancelled_leaves_the_outer_one_running) {
    cancel_scope outer;
    const bool finished = co_await with(outer, []() -> task<> {
        for (int i = 0; i < 3; ++i) {
            cancel_scope inner;
            inner.cancel();
            const bool whole = co_await with(inner, []() -> task<> {
                co_await lowlevel::checkpoint();
            });
            EXPECT_FALSE(whole);
            co_await lowlevel::checkpoint();
        }
    });
    EXPECT_TRUE(finished);
}

ANYIO_TEST(
    nested_scopes, the_outer_one_catches_if_it_is_cancelled_before_the_inner_unwinds
) {
    cancel_scope outer;
    cancel_scope inner;
    bool inner_block_ended = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(outer, [&]() -> task<> {
                co_await with(inner, []() -> task<> { co_await sleep_forever(); });
                inner_block_ended = true;
            });
        });
        co_await wait_all_tasks_blocked();
        inner.cancel();  // delivered, but not yet unwound
        outer.cancel();
    });
    EXPECT_FALSE(inner_block_ended);
    EXPECT_TRUE(outer.cancelled_caught());
    EXPECT_FALSE(inner.cancelled_caught());
}

ANYIO_TEST(nested_scopes, an_outer_one_cancelled_while_the_inner_cleans_up_catches) {
    cancel_scope outer;
    cancel_scope inner;
    event clean;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(outer, [&]() -> task<> {
                co_await with(inner, [&]() -> task<> {
                    auto cut = co_await as_outcome(sleep_forever());
                    co_await shielded(clean.wait());
                    co_await std::move(cut).unwrap();
                });
                ADD_FAILURE() << "the outer scope is cancelled too";
            });
        });
        co_await wait_all_tasks_blocked();
        inner.cancel();
        co_await wait_all_tasks_blocked();
        outer.cancel();
        co_await wait_all_tasks_blocked();
        clean.set();
    });
    EXPECT_TRUE(outer.cancelled_caught());
    EXPECT_FALSE(inner.cancelled_caught());
}

ANYIO_TEST(nested_scopes, one_that_ended_before_a_checkpoint_is_forgotten) {
    std::vector<std::string> log;
    cancel_scope outer;
    co_await with(outer, [&]() -> task<> {
        cancel_scope inner;
        co_await with(inner, [&]() -> task<> {
            inner.cancel();
            co_return;
        });
        co_await lowlevel::checkpoint();
        log.push_back("goes on");
    });
    EXPECT_THAT(log, ElementsAre("goes on"));
}

namespace {

task<>
nested_scopes_down(std::deque<cancel_scope>& scopes, std::size_t depth, int& whole) {
    if (depth == 0) {
        co_await sleep_forever();
        co_return;
    }
    const bool finished = co_await with(scopes.emplace_back(), [&]() -> task<> {
        return nested_scopes_down(scopes, depth - 1, whole);
    });
    whole += finished;
}

task<> cancel_one_of(std::size_t depth, std::size_t which) {
    std::deque<cancel_scope> scopes;
    int whole = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            return nested_scopes_down(scopes, depth, whole);
        });
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(scopes.size(), depth);
        scopes[which].cancel();
    });
    EXPECT_EQ(whole, static_cast<int>(which));
    std::size_t caught = 0;
    for (const auto& scope : scopes)
        caught += scope.cancelled_caught();
    EXPECT_EQ(caught, 1u);
    EXPECT_TRUE(scopes[which].cancelled_caught());
}

}  // namespace

ANYIO_TEST(nested_scopes, may_be_five_thousand_deep) {
    co_await cancel_one_of(5'000, 0);
    co_await cancel_one_of(5'000, 4'999);
    co_await cancel_one_of(5'000, 2'500);
}

ANYIO_TEST(nested_scopes, may_be_a_hundred_thousand_deep) {
    co_await cancel_one_of(100'000, 0);
}
