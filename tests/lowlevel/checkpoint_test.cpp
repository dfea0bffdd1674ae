// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/checkpoint.hpp>

#include <anyio/lowlevel/token.hpp>
#include "support/anyio_test.hpp"

using namespace anyio;
using namespace std::chrono_literals;
using lowlevel::cancel_shielded_checkpoint;
using lowlevel::checkpoint;
using lowlevel::checkpoint_if_cancelled;
using ::testing::ElementsAre;

namespace {

std::uint64_t steps() {
    return lowlevel::this_loop->steps();
}

}  // namespace

ANYIO_TEST(checkpoint, lets_every_other_ready_task_run_once) {
    std::string order;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (const char name : {'a', 'b', 'c'}) {
            tg.start_soon([&, name]() -> task<> {
                for (int i = 0; i < 3; ++i) {
                    order += name;
                    co_await checkpoint();
                }
            });
        }
        co_return;
    });
    EXPECT_EQ(order, "abcabcabc");
}

ANYIO_TEST(checkpoint, alone_in_the_loop_returns) {
    const std::uint64_t before = steps();
    co_await checkpoint();
    EXPECT_EQ(steps(), before + 1);
}

ANYIO_TEST(checkpoint, unwinds_a_cancelled_task_before_it_yields) {
    std::uint64_t before = 0;
    co_await with(cancel_scope(), [&](cancel_scope& scope) -> task<> {
        scope.cancel();
        before = steps();
        co_await checkpoint();
        ADD_FAILURE();
    });
    EXPECT_EQ(steps(), before) << "no trip through the queue";
}

ANYIO_TEST(checkpoint, unwinds_a_task_that_is_cancelled_while_it_has_yielded) {
    bool passed = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await checkpoint();
            passed = true;
        });
        tg.start_soon([&]() -> task<> {
            tg.cancel();
            co_return;
        });
        co_return;
    });
    EXPECT_FALSE(passed);
}

ANYIO_TEST(checkpoint, is_passed_in_a_shield) {
    bool passed = false;
    co_await with(cancel_scope(), [&](cancel_scope& scope) -> task<> {
        scope.cancel();
        co_await shielded(checkpoint());
        co_await shielded(checkpoint_if_cancelled());
        passed = true;
    });
    EXPECT_TRUE(passed);
}

ANYIO_TEST(checkpoint_if_cancelled, does_not_yield) {
    std::vector<std::string> order;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            order.push_back("other");
            co_return;
        });
        const std::uint64_t before = steps();
        for (int i = 0; i < 1'000; ++i)
            co_await checkpoint_if_cancelled();
        EXPECT_EQ(steps(), before);
        order.push_back("first");
    });
    EXPECT_THAT(order, ElementsAre("first", "other"));
}

ANYIO_TEST(checkpoint_if_cancelled, unwinds_a_cancelled_task) {
    co_await with(cancel_scope(), [](cancel_scope& scope) -> task<> {
        co_await checkpoint_if_cancelled();
        scope.cancel();
        co_await checkpoint_if_cancelled();
        ADD_FAILURE();
    });
}

ANYIO_TEST(cancel_shielded_checkpoint, yields_and_cannot_be_cancelled) {
    std::vector<std::string> order;
    const bool finished =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                order.push_back("other");
                co_return;
            });
            tg.cancel();
            co_await cancel_shielded_checkpoint();
            order.push_back("goes on");
            co_await cancel_shielded_checkpoint();
            order.push_back("and on");
            co_await checkpoint();
            ADD_FAILURE();
        });
    EXPECT_FALSE(finished);
    EXPECT_THAT(order, ElementsAre("other", "goes on", "and on"));
}

ANYIO_TEST(
    cancel_shielded_checkpoint, goes_on_if_it_is_cancelled_while_it_has_yielded
) {
    bool passed = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await cancel_shielded_checkpoint();
            passed = true;
            co_await checkpoint();
            ADD_FAILURE();
        });
        tg.start_soon([&]() -> task<> {
            tg.cancel();
            co_return;
        });
        co_return;
    });
    EXPECT_TRUE(passed);
}

// --- fairness -------------------------------------------------------------------------

ANYIO_TEST(fairness, a_loop_over_ready_operations_lets_others_run) {
    constexpr int rounds = 100 * lowlevel::step_budget;
    event set;
    set.set();
    int other = 0;
    bool stop = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            while (!stop) {
                ++other;
                co_await checkpoint();
            }
        });
        for (int i = 0; i < rounds; ++i)
            co_await set.wait();
        stop = true;
    });
    EXPECT_GE(other, 99);
    EXPECT_LE(other, 101) << "and does not yield at each of them";
}

ANYIO_TEST(fairness, counts_ready_operations_in_called_coroutines_and_blocks_too) {
    event set;
    set.set();
    int other = 0;
    bool stop = false;
    const auto call = [&]() -> task<> { co_await set.wait(); };
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            while (!stop) {
                ++other;
                co_await checkpoint();
            }
        });
        for (int i = 0; i < 10 * lowlevel::step_budget; ++i) {
            co_await call();
            co_await shielded(set.wait());
            co_await with(cancel_scope(), call);
            co_await move_on_after(1s, call());
            auto ready = co_await as_outcome(set.wait());
            EXPECT_TRUE(ready.has_value());
        }
        stop = true;
    });
    // Five waits a round, and the block around one of them.
    EXPECT_GE(other, 55);
    EXPECT_LE(other, 61);
}

ANYIO_TEST(fairness, the_operation_that_uses_up_the_budget_has_completed_and_is_kept) {
    event set;
    set.set();
    cancel_scope scope;
    int completed = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(scope, [&]() -> task<> {
                for (;;) {
                    co_await set.wait();
                    ++completed;
                }
            });
        });
        tg.start_soon([&]() -> task<> {
            scope.cancel();
            co_return;
        });
        co_return;
    });
    // The one that made it yield was complete before the cancel; the next one was not.
    EXPECT_EQ(completed, lowlevel::step_budget + 1);
}

ANYIO_TEST(fairness, no_ready_task_waits_for_more_than_one_step_of_each_other_one) {
    constexpr std::uint64_t tasks = 10;
    bool starved = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (std::uint64_t t = 0; t < tasks; ++t) {
            tg.start_soon([&]() -> task<> {
                std::uint64_t last = steps();
                for (int i = 0; i < 200; ++i) {
                    co_await checkpoint();
                    starved = starved || steps() - last > tasks + 1;
                    last = steps();
                }
            });
        }
        co_return;
    });
    EXPECT_FALSE(starved);
}

ANYIO_TEST(fairness, tasks_that_start_tasks_for_ever_keep_nobody_from_running) {
    bool stop = false;
    int generations = 0;

    struct parent {
        task<> operator()() {
            ++generations;
            if (!stop)
                tg.start_soon(*this);
            co_return;
        }

        task_group& tg;
        bool& stop;
        int& generations;
    };

    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon(parent{tg, stop, generations});
        for (int i = 0; i < 50; ++i)
            co_await checkpoint();
        stop = true;
    });
    EXPECT_GE(generations, 49);
    EXPECT_LE(generations, 52);
}

ANYIO_TEST(fairness, other_threads_are_heard_within_64_steps_whatever_is_ready) {
    constexpr int crowd = 1000;
    bool heard = false;
    std::uint64_t posted_at = 0;
    std::uint64_t waited = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int t = 0; t < crowd; ++t) {
            tg.start_soon([&]() -> task<> {
                while (!heard)
                    co_await checkpoint();
            });
        }
        co_await checkpoint();  // all have begun: from now on a round has 1001 steps
        posted_at = steps();
        lowlevel::current_token().run_sync_soon([&] {
            heard = true;
            waited = steps() - posted_at;
        });
    });
    EXPECT_LE(waited, 64u);
}

// What a task waits for is stale while it runs: it must not be taken for a yield.
ANYIO_TEST(checkpoint, leaves_nothing_that_a_later_cancel_could_mistake_for_a_yield) {
    bool resumed = false;
    bool kept = false;
    bool passed = false;
    event set;
    set.set();
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await checkpoint();
            tg.cancel();  // this task too, which runs
            resumed = true;
            co_await shielded(cancel_shielded_checkpoint());
            kept = true;
            co_await set.wait();
            passed = true;
        });
        co_return;
    });
    EXPECT_TRUE(resumed);
    EXPECT_TRUE(kept);
    EXPECT_FALSE(passed);
}

ANYIO_TEST(fairness, a_result_that_waits_for_its_turn_is_kept_though_its_task_yielded) {
    event set;
    set.set();
    cancel_scope scope;
    int completed = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await with(scope, [&]() -> task<> {
                co_await checkpoint();
                for (;;) {
                    co_await set.wait();
                    ++completed;
                }
            });
        });
        tg.start_soon([&]() -> task<> {
            co_await checkpoint();
            scope.cancel();
        });
        co_return;
    });
    EXPECT_EQ(completed, lowlevel::step_budget + 1);
}
