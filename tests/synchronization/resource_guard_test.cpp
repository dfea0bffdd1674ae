// SPDX-License-Identifier: MIT
#include <anyio/synchronization/resource_guard.hpp>

#include "support/anyio_test.hpp"

using namespace anyio;
using ::testing::HasSubstr;

namespace {

std::string refusal(resource_guard& guard, std::string_view where) {
    return message_thrown_by<busy_resource_error>([&] {
        const auto use = guard.enter(where);
    });
}

}  // namespace

ANYIO_TEST(resource_guard, names_both_tasks) {
    resource_guard guard("receiving");
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon({.name = "reader-2"}, [&]() -> task<> {
            const auto use = guard.enter();
            EXPECT_TRUE(guard.in_use());
            co_await wait_all_tasks_blocked();
        });
        tg.start_soon({.name = "reader-7"}, [&]() -> task<> {
            EXPECT_EQ(
                refusal(guard, "receive on port 80"),
                "receive on port 80: another task is already receiving: \"reader-2\" "
                "(this is \"reader-7\")"
            );
            co_return;
        });
    });
    EXPECT_FALSE(guard.in_use());
}

ANYIO_TEST(resource_guard, may_be_entered_again_when_the_first_has_left) {
    resource_guard guard;
    for (int i = 0; i < 3; ++i) {
        auto use = guard.enter();
        EXPECT_THAT(refusal(guard, "x"), HasSubstr("another task is already using"));
        auto moved = std::move(use);
        use.release();
        EXPECT_TRUE(guard.in_use());
        moved.release();
        EXPECT_FALSE(guard.in_use());
    }
    co_return;
}

ANYIO_TEST(resource_guard, is_left_by_a_task_that_fails_or_is_cancelled) {
    resource_guard guard;
    auto fail = [&]() -> task<> {
        const auto use = guard.enter();
        co_await lowlevel::checkpoint();
        throw std::runtime_error("oops");
    };
    auto failed = co_await as_outcome(fail());
    EXPECT_TRUE(failed.has_error());
    EXPECT_FALSE(guard.in_use());
    cancel_scope scope;
    co_await with(scope, [&]() -> task<> {
        const auto use = guard.enter();
        scope.cancel();
        co_await sleep_forever();
    });
    EXPECT_FALSE(guard.in_use());
}

ANYIO_TEST(resource_guard, of_a_task_that_has_ended_says_so_without_a_name) {
    resource_guard guard;
    std::vector<resource_use> kept;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([&]() -> task<> {
            kept.push_back(guard.enter());
            co_return;
        });
    });
    EXPECT_THAT(refusal(guard, "x"), HasSubstr("already using (this is \""));
}

TEST(resource_guard, needs_no_loop) {
    resource_guard guard("writing");
    const auto use = guard.enter();
    EXPECT_EQ(refusal(guard, "log"), "log: another task is already writing");
}
