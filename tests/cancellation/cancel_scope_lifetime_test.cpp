// SPDX-License-Identifier: MIT
#include <anyio/cancellation/cancel_scope.hpp>
#include "support/anyio_test.hpp"

// What goes while tasks are inside of it.

using namespace anyio;

namespace {

template <class Local, class Use>
void leave_behind(Use use) {
    run([&]() -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            Local local;
            tg.start_soon({.name = "child"}, [&]() -> task<> { co_await use(local); });
            co_await lowlevel::checkpoint();
        });
    });
}

struct own_shield {
    cancel_scope scope{cancel_scope_options{.shield = true}};
};

}  // namespace

TEST(cancel_scope_death, ends_the_program_if_it_goes_while_a_task_is_inside) {
    ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_DEATH(
        leave_behind<cancel_scope>([](cancel_scope& scope) -> task<> {
            co_await with(scope, []() -> task<> { co_await sleep_forever(); });
        }),
        "cancel_scope: destroyed while task \"child\" was inside its block.*create_task"
    );
}

TEST(cancel_scope_death, also_as_a_shield) {
    ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_DEATH(
        leave_behind<own_shield>([](own_shield& local) -> task<> {
            co_await with(local.scope, []() -> task<> { co_await sleep_forever(); });
        }),
        "cancel_scope: destroyed while task \"child\" was inside its block"
    );
}

TEST(resource_guard_death, ends_the_program_if_it_goes_while_somebody_is_inside) {
    ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_DEATH(
        leave_behind<resource_guard>([](resource_guard& guard) -> task<> {
            const auto use = guard.enter();
            co_await sleep_forever();
        }),
        "resource_guard: destroyed while somebody was using"
    );
}

ANYIO_TEST(cancel_scope, may_go_when_its_block_has_ended_in_any_way) {
    for (int i = 0; i < 3; ++i) {
        auto scope = std::make_unique<cancel_scope>();
        auto ended = co_await as_outcome(with(*scope, [&]() -> task<> {
            if (i == 0)
                co_return;
            if (i == 1)
                throw std::runtime_error("oops");
            scope->cancel();
            co_await sleep_forever();
        }));
        EXPECT_EQ(ended.has_error(), i == 1);
        scope.reset();
    }
}
