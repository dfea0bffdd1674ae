// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/possession.hpp>
#include "support/anyio_test.hpp"

#include <deque>
#include <memory>

// What a task has is found by the task, however much others have.

using namespace anyio;

ANYIO_TEST(possessions, of_a_task_that_ends_are_broken_and_no_others) {
    std::deque<lock> locks(100);
    event end;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        static context_var<int> number("number");
        for (std::size_t i = 0; i < locks.size(); i += 2)
            tg.start_soon([&, i]() -> task<> {
                co_await locks[i].acquire();
                number.set(1);  // from here on its record has more than possessions
                co_await locks[i + 1].acquire();
                if (i % 4 == 0)
                    locks[i].release();
                co_await end.wait();
                if (i % 4 == 2) {
                    locks[i + 1].release();
                    locks[i].release();
                }
            });
        co_await anyio::wait_all_tasks_blocked();
        for (std::size_t i = 0; i < locks.size(); i += 4) {
            EXPECT_FALSE(locks[i].locked());
            EXPECT_TRUE(locks[i + 1].locked() && locks[i + 2].locked());
        }
        end.set();
    });
    for (std::size_t i = 0; i < locks.size(); ++i) {
        auto acquired = co_await as_outcome(locks[i].acquire());
        EXPECT_EQ(acquired.has_error(), i % 4 == 1) << i;
        if (acquired.has_value())
            locks[i].release();
    }
}

ANYIO_TEST(possessions, of_many_tasks_cost_each_end_the_same) {
    constexpr int many = 20'000;
    std::deque<lock> locks(many);
    std::size_t held = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (lock& each : locks)
            tg.start_soon([&]() -> task<> {
                const auto mine = co_await each.hold();
                ++held;
                co_await lowlevel::checkpoint();
            });
        co_await lowlevel::checkpoint();
    });
    EXPECT_EQ(held, locks.size());
}

namespace {

task<> nest(int depth) {
    if (depth == 0)
        throw std::runtime_error("oops");
    co_await with(create_task_group(), [&](task_group&) -> task<> {
        co_await nest(depth - 1);
    });
}

}  // namespace

ANYIO_TEST(error_traces, of_deep_groups_are_no_longer_than_a_report_can_use) {
    auto ended = co_await as_outcome(nest(2000));
    std::size_t sites = 0;
    std::size_t groups = 0;
    std::exception_ptr at = ended.error();
    while (const auto* group = caught_as<exception_group>(at)) {
        ++groups;
        sites += group->members()[0].trace.size();
        EXPECT_GE(group->members()[0].trace.size(), 1u);
        const std::exception_ptr next = group->members()[0].error;
        at = next;
    }
    EXPECT_EQ(groups, 2000u);
    EXPECT_LE(sites, groups * 64);
    EXPECT_EQ(message_of(at), "oops");
}
