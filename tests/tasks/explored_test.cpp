// SPDX-License-Identifier: MIT
// Small scenarios in every order of their steps, with a task cancelled before each of them.
#include "support/explored.hpp"

#include "support/anyio_test.hpp"

#include <optional>
#include <stdexcept>

using namespace anyio;
using anyio::testing::explorer;
using support::explore_all;

namespace {

task<> fail(const char* what) {
    co_await lowlevel::checkpoint();
    throw std::runtime_error(what);
}

}  // namespace

// Errors win over cancellations, and come once each.
ANYIO_TEST(explored, a_group_whose_child_and_host_fail_while_it_is_cancelled) {
    auto scenario = [](explorer& x) -> task<> {
        int ended = 0;
        auto body = [&](task_group& tg) -> task<> {
            tg.start_soon(fail, "child");
            tg.start_soon([&]() -> task<> {
                auto slept = co_await as_outcome(sleep_forever());
                ++ended;
                co_await std::move(slept).unwrap();
            });
            co_await fail("host");
        };
        auto group = [&]() -> task<> { co_await with(create_task_group(), body); };
        auto victim = [&]() -> task<> { co_await with(x.victim(), group); };
        const auto result = co_await as_outcome(victim());
        EXPECT_EQ(ended, 1);
        for (const std::string& message : messages_of(result.error()))
            EXPECT_TRUE(
                message == "child" || message == "host" || message == "no error"
            ) << message;
        EXPECT_LE(messages_of(result.error()).size(), 2u);
    };
    co_await explore_all(scenario);
}

ANYIO_TEST(explored, start_with_a_child_that_is_ready_fails_or_is_cancelled) {
    auto scenario = [](explorer& x) -> task<> {
        const std::size_t how = x.pick(4);
        bool started = false;
        bool ended = false;
        auto child = [&](task_status<int> status) -> task<> {
            co_await lowlevel::checkpoint();
            if (how == 1)
                throw std::runtime_error("early");
            if (how != 2) {
                started = true;
                status.started(7);
            }
            co_await lowlevel::checkpoint();
            ended = true;
            if (how == 3)
                throw std::runtime_error("late");
        };
        int value = 0;
        auto body = [&](task_group& tg) -> task<> {
            tg.start_soon([]() -> task<> {
                for (int i = 0; i < 3; ++i)
                    co_await lowlevel::checkpoint();
            });
            auto start = [&]() -> task<> { value = co_await tg.start(child); };
            co_await with(x.victim(), start);
        };
        auto group = [&]() -> task<> { co_await with(create_task_group(), body); };
        const auto result = co_await as_outcome(group());
        if (value != 0) {
            EXPECT_EQ(value, 7);
            EXPECT_TRUE(started);
            EXPECT_TRUE(ended);  // no longer in the scope of its starter
            EXPECT_EQ(result.has_error(), how == 3);
        } else if (!started) {
            EXPECT_FALSE(ended && how == 1);
        }
        if (result.has_error()) {
            const std::string message = messages_of(result.error()).front();
            EXPECT_TRUE(
                (how == 1 && message == "early") || (how == 3 && message == "late") ||
                (how == 2 && message ==
                                 "task_group::start: child exited without calling "
                                 "task_status.started()")
            ) << how
              << message;
        }
    };
    co_await explore_all(scenario);
}

ANYIO_TEST(explored, a_handle_is_awaited_while_its_task_ends_or_is_cancelled) {
    auto scenario = [](explorer& x) -> task<> {
        auto work = [&]() -> task<int> {
            co_await lowlevel::checkpoint();
            co_await lowlevel::checkpoint();
            co_return 5;
        };
        std::optional<task_handle<int>> handle;  // outlives the tasks
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            handle.emplace(tg.create_task(work));
            tg.start_soon([&]() -> task<> {
                co_await lowlevel::checkpoint();
                handle->cancel();
            });
            auto wait = [&]() -> task<> {
                const auto result = co_await as_outcome(*handle);
                if (result.has_value()) {
                    EXPECT_EQ(result.value(), 5);
                } else if (result.has_error()) {
                    EXPECT_TRUE(is_error<task_cancelled>(result.error()));
                }
            };
            co_await with(x.victim(), wait);
            co_await handle->wait();
            EXPECT_NE(handle->status(), task_handle_status::pending);
        });
    };
    co_await explore_all(scenario);
}
