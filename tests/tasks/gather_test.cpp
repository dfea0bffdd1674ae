// SPDX-License-Identifier: MIT
#include <anyio/tasks/gather.hpp>

#include "support/anyio_test.hpp"
#include "support/census.hpp"

#include <memory>
#include <stdexcept>

using namespace anyio;
using namespace std::chrono_literals;
using support::census;
using support::counted;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

task<int> number(int n, duration takes = 0s) {
    co_await sleep(takes);
    co_return n;
}

task<std::string> text(std::string s, duration takes = 0s) {
    co_await sleep(takes);
    co_return s;
}

task<> nap(duration takes) {
    co_await sleep(takes);
}

task<int> fail(const char* why, duration after = 0s) {
    co_await sleep(after);
    throw std::runtime_error(why);
}

/// Waits for ever; counts its end.
task<int> never_ends(int& ended) {
    struct counts {
        int& ended;

        ~counts() { ++ended; }
    };

    const counts at_the_end{ended};
    co_await sleep_forever();
    co_return 0;
}

}  // namespace

ANYIO_TEST(gather, returns_all_results_in_the_order_of_the_arguments) {
    const auto start = current_time();
    const auto [a, b, c] =
        co_await gather(number(1, 3s), text("two", 1s), number(3, 2s));
    EXPECT_EQ(a, 1);
    EXPECT_EQ(b, "two");
    EXPECT_EQ(c, 3);
    EXPECT_EQ(current_time() - start, 3s) << "they ran at once";
}

ANYIO_TEST(gather, takes_one_task_and_tasks_without_a_value) {
    const auto [only] = co_await gather(number(7));
    EXPECT_EQ(only, 7);
    const auto result = co_await gather(nap(1s), number(1), nap(2s));
    static_assert(std::is_same_v<
                  std::remove_cv_t<decltype(result)>,
                  std::tuple<std::monostate, int, std::monostate>>);
    EXPECT_EQ(std::get<1>(result), 1);
}

ANYIO_TEST(gather, gives_values_that_only_move) {
    auto make = [](int n) -> task<std::unique_ptr<int>> {
        co_return std::make_unique<int>(n);
    };
    const auto [a, b] = co_await gather(make(1), make(2));
    EXPECT_EQ(*a + *b, 3);
    std::vector<task<std::unique_ptr<int>>> tasks;
    tasks.push_back(make(3));
    const auto more = co_await gather(std::move(tasks));
    EXPECT_EQ(*more.at(0), 3);
}

ANYIO_TEST(gather, of_a_vector_returns_a_vector) {
    std::vector<task<int>> tasks;
    for (int i = 0; i < 5; ++i)
        tasks.push_back(number(i, (5 - i) * 1s));
    const std::vector<int> results = co_await gather(std::move(tasks));
    EXPECT_THAT(results, ElementsAre(0, 1, 2, 3, 4));
    const std::vector<int> none = co_await gather(std::vector<task<int>>());
    EXPECT_TRUE(none.empty());
    std::vector<task<bool>> answers;
    answers.push_back([]() -> task<bool> { co_return true; }());
    const std::vector<bool> bits = co_await gather(std::move(answers));
    EXPECT_THAT(bits, ElementsAre(true));
    std::vector<task<>> naps;
    naps.push_back(nap(1s));
    co_await gather(std::move(naps));
}

ANYIO_TEST(gather, cancels_the_rest_when_one_fails) {
    int ended = 0;
    auto result = co_await as_outcome(
        gather(never_ends(ended), fail("no paper", 1s), never_ends(ended))
    );
    EXPECT_TRUE(is_error<exception_group>(result.error()));
    EXPECT_THAT(messages_of(result.error()), ElementsAre("no paper"));
    EXPECT_EQ(ended, 2);
    EXPECT_EQ(current_time(), time_point(1s));
}

ANYIO_TEST(gather, throws_the_errors_of_all_who_failed) {
    auto fail_at_once = [](const char* why) -> task<> {
        throw std::runtime_error(why);
        co_return;
    };
    auto result =
        co_await as_outcome(gather(fail_at_once("one"), number(3), fail_at_once("two"))
        );
    EXPECT_THAT(messages_of(result.error()), ElementsAre("one", "two"));
    std::vector<task<int>> tasks;
    tasks.push_back(fail("three"));
    tasks.push_back(number(1, 1h));
    auto other = co_await as_outcome(gather(std::move(tasks)));
    EXPECT_THAT(messages_of(other.error()), ElementsAre("three"));
}

ANYIO_TEST(gather, names_its_tasks_after_their_functions) {
    auto result = co_await as_outcome(gather(number(1, 1s), fail("oops")));
    const auto* const group = caught_as<exception_group>(result.error());
    ANYIO_REQUIRE(group != nullptr);
    EXPECT_THAT(group->members()[0].task, HasSubstr("fail"));
}

ANYIO_TEST(gather, that_is_cancelled_ends_all_before_it_ends) {
    int ended = 0;
    const auto result =
        co_await move_on_after(1s, gather(never_ends(ended), never_ends(ended)));
    EXPECT_FALSE(result.has_value());
    EXPECT_EQ(ended, 2);
}

ANYIO_TEST(gather, in_a_cancelled_scope_runs_each_to_its_first_checkpoint) {
    int begun = 0;
    auto begin = [&]() -> task<> {
        ++begun;
        co_await lowlevel::checkpoint();
        ADD_FAILURE();
    };
    cancel_scope scope;
    co_await with(scope, [&]() -> task<> {
        scope.cancel();
        co_await gather(begin(), begin());
        ADD_FAILURE();
    });
    EXPECT_EQ(begun, 2);
}

ANYIO_TEST(gather, waits_for_a_task_that_cleans_up) {
    bool clean = false;
    auto careful = [&]() -> task<> {
        co_await try_([]() -> task<> {
            co_await sleep_forever();
        }).finally_([&]() -> task<> {
            co_await sleep(1s);
            clean = true;
        });
    };
    auto result = co_await as_outcome(gather(careful(), fail("oops")));
    EXPECT_TRUE(clean);
    EXPECT_TRUE(result.has_error());
}

ANYIO_TEST(gather, destroys_every_result_once) {
    census people;
    auto make = [&](int n) -> task<counted> {
        co_await sleep(n * 1s);
        co_return counted(people, n);
    };
    {
        const auto [a, b] = co_await gather(make(1), make(2));
        EXPECT_EQ(a.value() + b.value(), 3);
        std::vector<task<counted>> tasks;
        tasks.push_back(make(3));
        tasks.push_back(make(4));
        const auto more = co_await gather(std::move(tasks));
        EXPECT_EQ(more[0].value() + more[1].value(), 7);
        auto failed = co_await as_outcome(gather(make(1), fail("oops", 2s), make(3)));
        EXPECT_TRUE(failed.has_error());
    }
    EXPECT_TRUE(people.balanced());
}

ANYIO_TEST(gather, nests) {
    auto pair = [](int n) -> task<int> {
        const auto [a, b] = co_await gather(number(n, 1s), number(n, 2s));
        co_return a + b;
    };
    const auto [x, y] = co_await gather(pair(1), pair(10));
    EXPECT_EQ(x + y, 22);
    EXPECT_EQ(current_time(), time_point(2s));
}
