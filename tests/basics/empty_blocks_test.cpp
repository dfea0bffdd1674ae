// SPDX-License-Identifier: MIT
#include <anyio/basics/with.hpp>
#include "support/budget.hpp"

using namespace anyio;
using support::expect_lets_others_run;

namespace {

task<> nothing() {
    co_return;
}

task<int> nobody(int) {
    co_return 0;
}

}  // namespace

ANYIO_TEST(empty_blocks, let_others_run) {
    co_await expect_lets_others_run(
        []() -> task<> { co_await with(create_task_group(), [](task_group&) {}); },
        "a plain function"
    );
    co_await expect_lets_others_run(
        []() -> task<> {
            co_await with(create_task_group(), [](task_group&) -> task<> {
                co_return;
            });
        },
        "a coroutine"
    );
    co_await expect_lets_others_run(
        []() -> task<> { co_await with(cancel_scope(), &nothing); }, "a scope"
    );
    co_await expect_lets_others_run(
        []() -> task<> {
            co_await with(create_task_group(), cancel_scope(), [](task_group&) {});
        },
        "two blocks"
    );
    co_await expect_lets_others_run(
        []() -> task<> {
            const auto ended =
                co_await as_outcome(with(create_task_group(), [](task_group&) {
                    throw std::runtime_error("no");
                }));
            EXPECT_TRUE(ended.has_error());
        },
        "one that fails"
    );
}

ANYIO_TEST(empty_blocks, of_tasks_let_others_run) {
    co_await expect_lets_others_run(
        []() -> task<> {
            const std::vector<int> none;
            (void)co_await amap(none, &nobody);
        },
        "amap"
    );
    co_await expect_lets_others_run(
        []() -> task<> {
            const std::vector<int> none;
            (void)co_await amap(none, &nobody, {.limit = 3});
        },
        "amap with a limit"
    );
    co_await expect_lets_others_run(
        []() -> task<> {
            std::vector<task<int>> none;
            (void)co_await gather(std::move(none));
        },
        "gather"
    );
}

ANYIO_TEST(empty_blocks, that_are_left_see_what_others_have_cancelled) {
    cancel_scope outer;
    int rounds = 0;
    auto body = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            outer.cancel();
            co_return;
        });
        auto loop = [&]() -> task<> {
            for (; rounds < 10'000; ++rounds) {
                co_await with(create_task_group(), [](task_group&) {});
                co_await lowlevel::checkpoint_if_cancelled();
            }
        };
        co_await with(outer, loop);
    };
    co_await with(create_task_group(), body);
    EXPECT_LE(rounds, lowlevel::step_budget + 1);
}
