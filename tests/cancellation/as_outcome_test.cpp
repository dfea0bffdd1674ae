// SPDX-License-Identifier: MIT
#include <anyio/basics/outcome.hpp>
#include "support/anyio_test.hpp"

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

task<std::unique_ptr<int>> gives(int value) {
    co_await lowlevel::checkpoint();
    co_return std::make_unique<int>(value);
}

task<int> throws_after(duration time) {
    co_await sleep(time);
    throw std::runtime_error("thrown");
}

task<int> is_cut_short() {
    co_await sleep_forever();
    co_return 1;
}

}  // namespace

ANYIO_TEST(as_outcome, holds_a_value) {
    auto o = co_await as_outcome(gives(7));
    EXPECT_TRUE(o.has_value());
    EXPECT_TRUE(o);
    EXPECT_FALSE(o.has_error());
    EXPECT_FALSE(o.is_cancelled());
    EXPECT_EQ(o.error(), nullptr);
    EXPECT_EQ(*o.value(), 7);
    const std::unique_ptr<int> taken = std::move(o).value();
    EXPECT_EQ(*taken, 7);
}

ANYIO_TEST(as_outcome, holds_the_success_of_something_without_value) {
    auto slept = co_await as_outcome(sleep(1s));
    EXPECT_TRUE(slept.has_value());
    std::move(slept).value();
    event set;
    set.set();
    auto ready = co_await as_outcome(set.wait());
    EXPECT_TRUE(ready.has_value());
}

ANYIO_TEST(as_outcome, holds_an_error_and_throws_it_again_when_asked_for_the_value) {
    for (const duration time : {0s, 1s}) {
        auto o = co_await as_outcome(throws_after(time));
        EXPECT_TRUE(o.has_error());
        EXPECT_FALSE(o.has_value());
        EXPECT_FALSE(o.is_cancelled());
        EXPECT_TRUE(is_error<std::runtime_error>(o.error()));
        EXPECT_THROW((void)o.value(), std::runtime_error);
        EXPECT_THROW((void)std::move(o).value(), std::runtime_error);
    }
}

ANYIO_TEST(as_outcome, holds_an_error_that_an_operation_throws_at_once) {
    struct refuses : lowlevel::awaitable_base {
        [[nodiscard]] bool await_ready() const { throw std::runtime_error("refused"); }

        void await_suspend(std::coroutine_handle<>) const {}

        void await_resume() const {}
    };

    struct fails_at_the_end : lowlevel::awaitable_base {
        [[nodiscard]] bool await_ready() const { return true; }

        void await_suspend(std::coroutine_handle<>) const {}

        int await_resume() const { throw std::runtime_error("late"); }
    };

    auto early = co_await as_outcome(refuses());
    EXPECT_EQ(message_of(early.error()), "refused");
    auto late = co_await as_outcome(fails_at_the_end());
    EXPECT_EQ(message_of(late.error()), "late");
}

ANYIO_TEST(as_outcome, is_cancelled_if_what_it_awaited_was_cut_short) {
    std::vector<std::string> log;
    cancel_scope scope;
    co_await with(scope, [&]() -> task<> {
        scope.cancel();
        auto o = co_await as_outcome(is_cut_short());
        EXPECT_TRUE(o.is_cancelled());
        EXPECT_FALSE(o.has_value());
        EXPECT_FALSE(o.has_error());
        log.push_back("goes on");
        co_await lowlevel::checkpoint();
        log.push_back("not beyond a checkpoint");
    });
    EXPECT_THAT(log, ElementsAre("goes on"));
}

ANYIO_TEST(
    as_outcome, of_a_cancelled_wait_says_what_to_do_if_it_is_asked_for_the_value
) {
    cancel_scope scope;
    std::string message;
    co_await with(scope, [&]() -> task<> {
        scope.cancel();
        auto o = co_await as_outcome(is_cut_short());
        try {
            (void)std::move(o).value();
        } catch (const usage_error& e) {
            message = e.what();
        }
    });
    EXPECT_THAT(message, HasSubstr("co_await std::move(o).unwrap()"));
}

ANYIO_TEST(unwrap, gives_the_value_or_throws_the_error) {
    auto value = co_await as_outcome(gives(7));
    const std::unique_ptr<int> taken = co_await std::move(value).unwrap();
    EXPECT_EQ(*taken, 7);
    auto nothing = co_await as_outcome(sleep(1s));
    co_await std::move(nothing).unwrap();
    auto error = co_await as_outcome(throws_after(1s));
    bool thrown = false;
    try {
        co_await std::move(error).unwrap();
    } catch (const std::runtime_error&) {
        thrown = true;
    }
    EXPECT_TRUE(thrown);
}

ANYIO_TEST(unwrap, goes_on_with_a_cancellation_as_if_it_had_not_been_stopped) {
    std::vector<std::string> log;
    cancel_scope scope;
    const bool finished = co_await with(scope, [&]() -> task<> {
        scope.cancel();
        auto o = co_await as_outcome(is_cut_short());
        log.push_back("cleanup");
        const int never_reached = co_await std::move(o).unwrap();
        log.push_back("not here" + std::to_string(never_reached));
    });
    EXPECT_FALSE(finished);
    EXPECT_TRUE(scope.cancelled_caught());
    EXPECT_THAT(log, ElementsAre("cleanup"));
}

ANYIO_TEST(unwrap, may_happen_in_the_frame_that_called) {
    cancel_scope scope;
    auto inner = []() -> task<outcome<int>> {
        auto o = co_await as_outcome(is_cut_short());
        co_return o;
    };
    const bool finished = co_await with(scope, [&]() -> task<> {
        scope.cancel();
        auto o = co_await inner();
        co_await std::move(o).unwrap();
        ADD_FAILURE();
    });
    EXPECT_FALSE(finished);
}

ANYIO_TEST(as_outcome, nests) {
    cancel_scope scope;
    co_await with(scope, [&]() -> task<> {
        scope.cancel();
        auto o = co_await as_outcome(as_outcome(is_cut_short()));
        EXPECT_TRUE(o.has_value());
        EXPECT_TRUE(o.value().is_cancelled());
    });
}

ANYIO_TEST(as_outcome, of_a_block_does_not_see_what_the_block_caught_itself) {
    cancel_scope scope;
    auto o = co_await as_outcome(with(scope, [&]() -> task<int> {
        scope.cancel();
        const int value = co_await is_cut_short();
        co_return value;
    }));
    EXPECT_TRUE(o.has_value());
    EXPECT_EQ(o.value(), std::nullopt);
}

ANYIO_TEST(as_outcome, of_a_block_that_was_cut_from_outside_is_cancelled) {
    cancel_scope outer;
    cancel_scope inner;
    co_await with(outer, [&]() -> task<> {
        outer.cancel();
        auto o =
            co_await as_outcome(with(inner, []() -> task<> { co_await sleep(1s); }));
        EXPECT_TRUE(o.is_cancelled());
        auto group =
            co_await as_outcome(with(create_task_group(), [](task_group& tg) -> task<> {
                tg.start_soon([]() -> task<> { co_await sleep(1s); });
                co_return;
            }));
        EXPECT_TRUE(group.is_cancelled());
    });
    EXPECT_FALSE(inner.cancelled_caught());
}

ANYIO_TEST(unwrap, outside_of_the_cancelled_scope_ends_a_child_as_cancelled) {
    task_handle_status status{};
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto child = tg.create_task([]() -> task<> {
            outcome<int> stopped;
            cancel_scope scope;
            scope.cancel();
            co_await with(scope, [&]() -> task<> {
                stopped = co_await as_outcome(is_cut_short());
            });
            co_await std::move(stopped).unwrap();
            ADD_FAILURE();
        });
        co_await child.wait();
        status = child.status();
    });
    EXPECT_EQ(status, task_handle_status::cancelled);
}

TEST(unwrap, outside_of_the_cancelled_scope_in_the_main_task_is_an_error_of_run) {
    std::string message;
    try {
        run([]() -> task<> { co_await outcome<int>().unwrap(); });
    } catch (const usage_error& e) {
        message = e.what();
    }
    EXPECT_THAT(message, HasSubstr("the main task was unwound"));
}
