// SPDX-License-Identifier: MIT
#include <anyio/tasks/as_completed.hpp>

#include "support/anyio_test.hpp"
#include "support/census.hpp"

#include <optional>
#include <stdexcept>

using namespace anyio;
using namespace std::chrono_literals;
using support::census;
using support::counted;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

task<int> number(int n) {
    co_await sleep(n * 1s);
    co_return n;
}

task<int> fail(const char* why, duration after) {
    co_await sleep(after);
    throw std::runtime_error(why);
}

template <class... N>
std::vector<task<int>> numbers(N... all) {
    std::vector<task<int>> tasks;
    (tasks.push_back(number(all)), ...);
    return tasks;
}

}  // namespace

ANYIO_TEST(as_completed, gives_the_tasks_in_the_order_in_which_they_finish) {
    std::vector<int> got;
    const bool completed = co_await with(
        as_completed(number(3), number(1), number(2)),
        [&](completed_tasks<int>& done) -> task<> {
            while (auto finished = co_await done.next()) {
                EXPECT_EQ(finished->status(), task_handle_status::finished);
                EXPECT_THAT(finished->name(), HasSubstr("number"));
                got.push_back(finished->result());
                EXPECT_EQ(current_time(), time_point(got.back() * 1s));
            }
            const auto no_more = co_await done.next();
            EXPECT_FALSE(no_more.has_value());
        }
    );
    EXPECT_TRUE(completed);
    EXPECT_THAT(got, ElementsAre(1, 2, 3));
}

ANYIO_TEST(as_completed, keeps_what_finished_while_nobody_asked) {
    std::vector<int> got;
    co_await with(
        as_completed(numbers(4, 2, 1, 3)),
        [&](completed_tasks<int>& done) -> task<> {
            co_await sleep(10s);
            while (auto finished = co_await done.next())
                got.push_back(finished->result());
        }
    );
    EXPECT_THAT(got, ElementsAre(1, 2, 3, 4));
}

ANYIO_TEST(as_completed, handles_may_outlive_the_block) {
    std::vector<task_handle<int>> kept;
    co_await with(
        as_completed(numbers(2, 1)),
        [&](completed_tasks<int>& done) -> task<> {
            while (auto finished = co_await done.next())
                kept.push_back(std::move(*finished));
        }
    );
    EXPECT_EQ(kept[0].result(), 1);
    const int& second = co_await kept[1];
    EXPECT_EQ(second, 2);
}

ANYIO_TEST(as_completed, takes_tasks_without_a_value) {
    int finished_tasks = 0;
    auto nap = [](int n) -> task<> { co_await sleep(n * 1s); };
    co_await with(
        as_completed(nap(1), nap(2)),
        [&](completed_tasks<void>& done) -> task<> {
            while (auto finished = co_await done.next()) {
                finished->result();
                ++finished_tasks;
            }
        }
    );
    EXPECT_EQ(finished_tasks, 2);
}

ANYIO_TEST(as_completed, that_is_left_early_cancels_the_rest) {
    census people;
    auto make = [&](int n) -> task<counted> {
        const counted local(people);
        co_await sleep(n * 1s);
        co_return counted(people, n);
    };
    const auto first = co_await with(
        as_completed(make(30), make(1), make(1), make(60)),
        [&](completed_tasks<counted>& done) -> task<int> {
            auto finished = co_await done.next();
            co_return finished->result().value();
        }
    );
    EXPECT_EQ(first, 1);
    EXPECT_EQ(current_time(), time_point(1s));
    EXPECT_TRUE(people.balanced());
}

ANYIO_TEST(as_completed, body_may_be_empty) {
    const bool completed =
        co_await with(as_completed(numbers(1, 2)), [](completed_tasks<int>&) {});
    EXPECT_TRUE(completed);
    EXPECT_EQ(current_time(), time_point());
}

ANYIO_TEST(as_completed, fails_with_the_first_task_that_fails) {
    std::vector<int> got;
    auto ended = co_await as_outcome(with(
        as_completed(number(1), fail("no paper", 2s), number(3)),
        [&](completed_tasks<int>& done) -> task<> {
            while (auto finished = co_await done.next())
                got.push_back(finished->result());
            ADD_FAILURE() << "the body was to be cancelled";
        }
    ));
    EXPECT_THAT(got, ElementsAre(1));
    EXPECT_TRUE(is_error<exception_group>(ended.error()));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("no paper"));
    EXPECT_EQ(current_time(), time_point(2s));
}

ANYIO_TEST(as_completed, fails_with_the_body) {
    auto ended = co_await as_outcome(with(
        as_completed(numbers(1, 100)),
        [&](completed_tasks<int>& done) -> task<> {
            co_await done.next();
            throw std::runtime_error("enough");
        }
    ));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("enough"));
    EXPECT_EQ(current_time(), time_point(1s));
}

ANYIO_TEST(as_completed, that_is_cancelled_ends_its_tasks) {
    int got = 0;
    const bool completed = co_await with(
        move_on_after(1500ms),
        as_completed(numbers(1, 2, 3)),
        [&](completed_tasks<int>& done) -> task<> {
            while (auto finished = co_await done.next())
                ++got;
        }
    );
    EXPECT_FALSE(completed);
    EXPECT_EQ(got, 1);
}

ANYIO_TEST(as_completed, next_may_have_a_time_limit) {
    std::vector<std::string> got;
    co_await with(
        as_completed(numbers(2, 1)),
        [&](completed_tasks<int>& done) -> task<> {
            for (;;) {
                auto finished = co_await move_on_after(700ms, done.next());
                if (!finished) {
                    got.push_back("-");
                } else if (!*finished) {
                    break;
                } else {
                    got.push_back(describe((*finished)->result()));
                }
            }
        }
    );
    EXPECT_THAT(got, ElementsAre("-", "1", "-", "2"));
}

ANYIO_TEST(as_completed, serves_several_who_ask) {
    std::vector<int> got;
    int told_the_end = 0;
    co_await with(
        as_completed(numbers(1, 2, 3)),
        [&](completed_tasks<int>& done) -> task<> {
            co_await with(create_task_group(), [&](task_group& tg) {
                for (int i = 0; i < 5; ++i)
                    tg.start_soon([&]() -> task<> {
                        while (auto finished = co_await done.next())
                            got.push_back(finished->result());
                        ++told_the_end;
                    });
            });
        }
    );
    EXPECT_THAT(got, ElementsAre(1, 2, 3));
    EXPECT_EQ(told_the_end, 5);
}

ANYIO_TEST(as_completed, needs_a_task) {
    EXPECT_EQ(
        message_thrown_by<usage_error>([] {
            (void)as_completed(std::vector<task<int>>());
        }),
        "as_completed: there are no tasks, so none will ever be completed"
    );
    co_return;
}

ANYIO_TEST(as_completed, serves_one_block) {
    auto twice = as_completed(number(1));
    const auto body = [](completed_tasks<int>& done) -> task<> {
        co_await done.next();
    };
    co_await with(twice, body);
    auto again = co_await as_outcome(with(twice, body));
    EXPECT_TRUE(is_error<usage_error>(again.error()));
}

ANYIO_TEST(as_completed, may_be_used_beside_resources) {
    struct resource {
        resource() {}

        task<> aclose() {
            closed = true;
            co_return;
        }

        bool closed = false;
    };

    resource opened;
    int sum = 0;
    co_await with(
        opened,
        as_completed(numbers(1, 2)),
        [&](resource&, completed_tasks<int>& done) -> task<> {
            while (auto finished = co_await done.next())
                sum += finished->result();
        }
    );
    EXPECT_EQ(sum, 3);
    EXPECT_TRUE(opened.closed);
}
