// SPDX-License-Identifier: MIT
#include <anyio/basics/exit_stack.hpp>
#include <anyio/basics/task.hpp>
#include <anyio/cancellation/fail_after.hpp>
#include <anyio/cancellation/move_on_after.hpp>
#include <anyio/cancellation/shield.hpp>
#include <anyio/tasks/amap.hpp>
#include <anyio/tasks/as_completed.hpp>
#include <anyio/tasks/gather.hpp>
#include "support/anyio_test.hpp"

#include <string>
#include <utility>
#include <vector>

using anyio::as_outcome;
using anyio::create_task_group;
using anyio::task;
using anyio::task_group;
using anyio::usage_error;
using anyio::with;
using testing::HasSubstr;
using namespace std::chrono_literals;

namespace {

task<int> seven() {
    co_return 7;
}

/// A task that has been moved from.
template <class T>
task<T> spent(task<T> whole) {
    const task<T> taken = std::move(whole);
    return whole;  // NOLINT(bugprone-use-after-move)
}

bool says_so(const std::exception_ptr& error) {
    return is_error<usage_error>(error) &&
           message_of(error).find("awaited or given away already") != std::string::npos;
}

}  // namespace

ANYIO_TEST(spent_task, says_so_when_it_is_awaited_a_second_time) {
    task<int> once = seven();
    const int value = co_await std::move(once);
    EXPECT_EQ(value, 7);
    auto again = co_await as_outcome([&]() -> task<int> {
        const int second = co_await std::move(once);  // NOLINT
        co_return second;
    }());
    EXPECT_TRUE(says_so(again.error()));
}

ANYIO_TEST(spent_task, says_so_in_everything_that_takes_an_awaitable) {
    auto direct = co_await as_outcome(spent(seven()));
    EXPECT_TRUE(says_so(direct.error()));
    auto limited = co_await as_outcome(anyio::fail_after(1s, spent(seven())));
    EXPECT_TRUE(says_so(limited.error()));
    auto moved_on = co_await as_outcome(anyio::move_on_after(1s, spent(seven())));
    EXPECT_TRUE(says_so(moved_on.error()));
    auto shielded = co_await as_outcome(anyio::shielded(spent(seven())));
    EXPECT_TRUE(says_so(shielded.error()));
    auto entered = co_await as_outcome(with(spent(seven()), [](int&) {}));
    EXPECT_TRUE(says_so(entered.error()));
    auto body =
        co_await as_outcome(with(anyio::cancel_scope(), [] { return spent(seven()); }));
    EXPECT_TRUE(says_so(body.error()));
    auto tried = co_await as_outcome(anyio::try_([] { return spent(seven()); }));
    EXPECT_TRUE(says_so(tried.error()));
}

ANYIO_TEST(spent_task, says_so_in_gather_and_as_completed) {
    auto gathered = co_await as_outcome([]() -> task<> {
        co_await anyio::gather(seven(), spent(seven()));
    }());
    EXPECT_TRUE(says_so(gathered.error()));
    EXPECT_THAT(message_of(gathered.error()), HasSubstr("gather: task 2"));
    std::vector<task<int>> many;
    many.push_back(spent(seven()));
    auto listed = co_await as_outcome([&]() -> task<> {
        co_await anyio::gather(std::move(many));
    }());
    EXPECT_TRUE(says_so(listed.error()));
    auto completed = co_await as_outcome([&]() -> task<> {
        co_await with(
            anyio::as_completed(spent(seven())), [](anyio::completed_tasks<int>&) {}
        );
    }());
    EXPECT_TRUE(says_so(completed.error()));
}

ANYIO_TEST(spent_task, starts_no_child) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto give = [] { return spent(seven()); };
        try {
            tg.start_soon(give);
            ADD_FAILURE() << "started";
        } catch (...) {
            EXPECT_TRUE(says_so(std::current_exception()));
        }
        try {
            const auto handle = tg.create_task(give);
            ADD_FAILURE() << "created";
        } catch (...) {
            EXPECT_TRUE(says_so(std::current_exception()));
        }
        auto started = co_await as_outcome(tg.start([](anyio::task_status<>) {
            return spent(seven());
        }));
        EXPECT_TRUE(says_so(started.error()));
        EXPECT_EQ(tg.core().count(), 0u);
    });
    const std::vector<int> items{1};
    auto mapped = co_await as_outcome(
        anyio::amap(items, [](int) { return spent(seven()); }, {.limit = 1})
    );
    EXPECT_THAT(
        messages_of(mapped.error()),
        testing::ElementsAre(HasSubstr("awaited or given away already"))
    );
}

TEST(spent_task_of_run, says_so) {
    try {
        anyio::run([] { return spent(seven()); });
        ADD_FAILURE() << "ran";
    } catch (...) {
        EXPECT_TRUE(says_so(std::current_exception()));
    }
}
