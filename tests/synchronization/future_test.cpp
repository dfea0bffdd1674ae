// SPDX-License-Identifier: MIT
#include <anyio/synchronization/future.hpp>

#include "support/anyio_test.hpp"

#include <memory>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ANYIO_TEST(future, gives_its_value_to_all_who_wait) {
    future<std::string> answer("the answer");
    std::vector<std::string> got;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int i = 0; i < 3; ++i)
            tg.start_soon([&]() -> task<> {
                const std::string& value = co_await answer;
                got.push_back(value);
            });
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(answer.status(), future_status::pending);
        answer.set_value("42");
        EXPECT_EQ(answer.status(), future_status::finished);
        EXPECT_TRUE(got.empty()) << "nobody runs inside of set_value()";
    });
    EXPECT_THAT(got, ElementsAre("42", "42", "42"));
    EXPECT_EQ(answer.result(), "42");
    EXPECT_EQ(answer.exception(), nullptr);
    const std::string& again = co_await answer;
    EXPECT_EQ(&again, &answer.result());
    EXPECT_EQ(answer.name(), "the answer");
}

ANYIO_TEST(future, may_have_no_value_or_one_that_only_moves) {
    future<> done;
    done.set_value();
    co_await done;
    done.result();
    future<std::unique_ptr<int>> owner;
    owner.set_value(std::make_unique<int>(7));
    const auto& value = co_await owner;
    EXPECT_EQ(*value, 7);
    future<std::optional<int>> falsy;
    falsy.set_value(std::nullopt);
    const auto& nothing = co_await falsy;
    EXPECT_EQ(nothing, std::nullopt);
}

ANYIO_TEST(future, gives_an_error_as_the_cause_of_future_failed) {
    future<int> answer("the answer");
    answer.set_exception(std::runtime_error("no idea"));
    EXPECT_EQ(answer.status(), future_status::failed);
    auto ended = co_await as_outcome(answer);
    EXPECT_TRUE(is_error<future_failed>(ended.error()));
    EXPECT_EQ(
        message_of(ended.error()),
        "future \"the answer\": failed: std::runtime_error: no idea"
    );
    EXPECT_EQ(message_of(cause_of(ended.error())), "no idea");
    EXPECT_EQ(message_of(answer.exception()), "no idea");
    EXPECT_THROW((void)answer.result(), future_failed);
    co_await answer.wait();  // does not throw
}

ANYIO_TEST(future, that_is_cancelled_says_so) {
    future<int> answer;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            auto ended = co_await as_outcome(answer);
            EXPECT_TRUE(is_error<future_cancelled>(ended.error()));
            EXPECT_EQ(message_of(ended.error()), "future: was cancelled");
        });
        co_await wait_all_tasks_blocked();
        answer.cancel();
    });
    EXPECT_EQ(answer.status(), future_status::cancelled);
    EXPECT_THROW((void)answer.result(), future_cancelled);
    EXPECT_THROW((void)answer.exception(), future_cancelled);
}

TEST(future, is_set_once) {
    future<int> answer("x");
    EXPECT_EQ(
        message_thrown_by<future_not_finished>([&] { (void)answer.result(); }),
        "future \"x\": has no result yet; co_await it"
    );
    EXPECT_THROW((void)answer.exception(), future_not_finished);
    answer.set_value(1);
    EXPECT_EQ(
        message_thrown_by<future_already_finished>([&] { answer.set_value(2); }),
        "set future \"x\": it has a value already"
    );
    EXPECT_THROW(
        answer.set_exception(std::runtime_error("late")), future_already_finished
    );
    answer.cancel();  // too late, and no mistake
    EXPECT_EQ(answer.status(), future_status::finished);
    EXPECT_EQ(answer.result(), 1);

    future<int> failed;
    failed.set_exception(std::make_exception_ptr(std::runtime_error("oops")));
    EXPECT_THAT(
        message_thrown_by<future_already_finished>([&] { failed.set_value(2); }),
        HasSubstr("it has an error already")
    );

    future<int> cancelled;
    cancelled.cancel();
    cancelled.cancel();
    EXPECT_THAT(
        message_thrown_by<future_cancelled>([&] { cancelled.set_value(2); }),
        HasSubstr("it was cancelled, so nobody waits for it")
    );
    EXPECT_THROW(cancelled.set_exception(std::runtime_error("late")), future_cancelled);
}

TEST(future, refuses_a_null_exception) {
    future<int> answer;
    EXPECT_THROW(answer.set_exception(std::exception_ptr()), usage_error);
    EXPECT_EQ(answer.status(), future_status::pending);
}

TEST(future, whose_value_cannot_be_made_stays_pending) {
    struct picky {
        explicit picky(int value) {
            if (value < 0)
                throw std::runtime_error("negative");
        }
    };

    future<picky> answer;
    EXPECT_THROW(answer.set_value(-1), std::runtime_error);
    EXPECT_EQ(answer.status(), future_status::pending);
    answer.set_value(1);
    EXPECT_EQ(answer.status(), future_status::finished);
}

ANYIO_TEST(future, waiter_that_is_cancelled_disturbs_nobody) {
    future<int> answer;
    std::vector<int> got;
    auto wait = [&](int number) -> task<> {
        const int value = co_await answer;
        got.push_back(number + value);
    };
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon(wait, 1);
        auto doomed = tg.create_task(wait, 2);
        tg.start_soon(wait, 3);
        co_await wait_all_tasks_blocked();
        doomed.cancel();
        EXPECT_EQ(answer.status(), future_status::pending);
        answer.set_value(10);
    });
    EXPECT_THAT(got, ElementsAre(11, 13));
}

ANYIO_TEST(future, set_before_the_cancel_of_the_same_turn_is_received) {
    for (const bool set_first : {true, false}) {
        future<int> answer;
        bool received = false;
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            auto waiter = tg.create_task([&]() -> task<> {
                co_await answer;
                received = true;
            });
            co_await wait_all_tasks_blocked();
            if (set_first)
                answer.set_value(1);
            waiter.cancel();
            if (!set_first)
                answer.set_value(1);
        });
        EXPECT_EQ(received, set_first);
    }
}

ANYIO_TEST(future, may_be_awaited_with_a_time_limit) {
    future<int> answer;
    const auto value = co_await move_on_after(1s, answer);
    EXPECT_FALSE(value.has_value());
    auto late = co_await as_outcome(fail_after(1s, answer.wait()));
    EXPECT_TRUE(is_error<timeout_error>(late.error()));
}

ANYIO_TEST(future, wait_in_a_cancelled_scope_unwinds_though_it_is_set) {
    future<int> answer;
    answer.set_value(1);
    cancel_scope scope;
    co_await with(scope, [&]() -> task<> {
        scope.cancel();
        co_await answer;
        ADD_FAILURE();
    });
    EXPECT_TRUE(scope.cancelled_caught());
}

TEST(future, that_nobody_sets_is_in_the_deadlock_report) {
    std::string report;
    try {
        run([]() -> task<> {
            future<int> forgotten;
            co_await forgotten;
        });
    } catch (const deadlock_error& e) {
        report = e.what();
    }
    EXPECT_THAT(report, HasSubstr("waiting in future::wait"));
}
