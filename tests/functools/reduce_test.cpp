// SPDX-License-Identifier: MIT
#include <anyio/functools/reduce.hpp>

#include "support/anyio_test.hpp"

#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

namespace {

async_generator<int> numbers(int last, duration each = 0s) {
    for (int i = 1; i <= last; ++i) {
        if (each != 0s)
            co_await sleep(each);
        co_yield i;
    }
}

task<int> slow_sum(int a, int b) {
    co_await sleep(1s);
    co_return a + b;
}

}  // namespace

ANYIO_TEST(reduce, joins_items_of_generators_and_ranges) {
    const std::vector<int> values{1, 2, 3, 4};
    auto named = numbers(4);
    int sum = co_await functools::reduce(std::plus(), numbers(4));
    EXPECT_EQ(sum, 10);
    sum = co_await functools::reduce(std::plus(), numbers(4, 1s));
    EXPECT_EQ(sum, 10);
    sum = co_await functools::reduce(std::plus(), named);
    EXPECT_EQ(sum, 10);
    sum = co_await functools::reduce(std::plus(), values);
    EXPECT_EQ(sum, 10);
    sum = co_await functools::reduce(std::plus(), std::vector<int>(values));
    EXPECT_EQ(sum, 10);
    sum = co_await functools::reduce(slow_sum, values);
    EXPECT_EQ(sum, 10);
    sum = co_await functools::reduce(slow_sum, numbers(3), 4);
    EXPECT_EQ(sum, 10);
}

ANYIO_TEST(reduce, begins_with_the_initial_value) {
    const std::vector<std::string> words{"b", "c"};
    const std::string joined =
        co_await functools::reduce(std::plus(), words, std::string("a"));
    EXPECT_EQ(joined, "abc");
    const int none = co_await functools::reduce(std::plus(), numbers(0), 7);
    EXPECT_EQ(none, 7);
    const auto count = [](std::size_t total, const std::string& word) {
        return total + word.size();
    };
    const std::size_t letters =
        co_await functools::reduce(count, words, std::size_t{1});
    EXPECT_EQ(letters, 3u);
}

ANYIO_TEST(reduce, moves_what_can_only_be_moved) {
    std::vector<std::unique_ptr<int>> values;
    for (const int value : {1, 2, 3})
        values.push_back(std::make_unique<int>(value));
    const auto add = [](std::unique_ptr<int> a, std::unique_ptr<int> b) {
        *a += *b;
        return a;
    };
    const auto sum = co_await functools::reduce(add, std::move(values));
    EXPECT_EQ(*sum, 6);
}

ANYIO_TEST(reduce, wants_something_to_begin_with) {
    auto ended = co_await as_outcome(functools::reduce(std::plus(), numbers(0)));
    EXPECT_TRUE(is_error<usage_error>(ended.error()));
    EXPECT_THAT(message_of(ended.error()), HasSubstr("no items, and no initial value"));
}

ANYIO_TEST(reduce, is_a_checkpoint_whatever_there_is_to_do) {
    const std::vector<int> none;
    const bool completed =
        co_await with(cancel_scope(), [&](cancel_scope& scope) -> task<> {
            scope.cancel();
            co_await functools::reduce(std::plus(), none, 0);
        });
    EXPECT_FALSE(completed);
}

ANYIO_TEST(reduce, leaves_a_named_generator_where_it_was_cut_short) {
    auto source = numbers(5);
    const auto cut =
        co_await move_on_after(2500ms, functools::reduce(slow_sum, source));
    EXPECT_FALSE(cut);
    const auto next = co_await source.next();
    EXPECT_EQ(next, 5);  // 1 to 4 were taken: two sums were made, one was under way
}

ANYIO_TEST(reduce, lets_others_run_and_can_be_cancelled_in_a_long_range) {
    std::vector<int> values(10'000, 1);
    int others = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            while (++others < 5)
                co_await lowlevel::checkpoint();
            tg.cancel();
        });
        co_await functools::reduce(std::plus(), values);
        ADD_FAILURE() << "was not cancelled";
    });
}
