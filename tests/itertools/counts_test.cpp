// SPDX-License-Identifier: MIT
/// @file
/// Counts that make no sense, items that cannot be copied or assigned.

#include <anyio/functools/reduce.hpp>
#include <anyio/itertools/accumulate.hpp>
#include <anyio/itertools/batched.hpp>
#include <anyio/itertools/chain.hpp>
#include <anyio/itertools/combinatorics.hpp>
#include <anyio/itertools/count.hpp>
#include <anyio/itertools/filter.hpp>
#include <anyio/itertools/islice.hpp>
#include <anyio/itertools/tee.hpp>
#include <anyio/itertools/zip_longest.hpp>
#include "itertools/items.hpp"
#include "support/budget.hpp"

#include <limits>
#include <map>
#include <memory>
#include <stdexcept>

using namespace anyio;
using items::all;
using items::ints;
using ::testing::HasSubstr;

namespace {

const ints three{1, 2, 3};
constexpr auto minus_one = static_cast<std::size_t>(-1);
constexpr auto minus_two = static_cast<std::size_t>(-2);

template <class F>
void expect_refused(F call) {
    try {
        call();
        ADD_FAILURE() << "it was not refused";
    } catch (const usage_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("-2 is less than nothing"));
    }
}

}  // namespace

TEST(itertools_counts, that_were_negative_are_mistakes) {
    expect_refused([] { (void)itertools::islice(three, minus_two); });
    expect_refused([] { (void)itertools::islice(three, minus_two, 3); });
    expect_refused([] { (void)itertools::islice(three, 0, minus_two); });
    expect_refused([] { (void)itertools::islice(three, 0, 3, minus_two); });
    expect_refused([] { (void)itertools::repeat(7, minus_two); });
    expect_refused([] { (void)itertools::combinations(three, minus_two); });
    expect_refused([] {
        (void)itertools::combinations_with_replacement(three, minus_two);
    });
    expect_refused([] { (void)itertools::permutations(three, minus_two); });
    expect_refused([] { (void)itertools::batched(three, minus_two); });
    expect_refused([] { (void)itertools::product(three, minus_two); });
    expect_refused([] { (void)itertools::tee(three, minus_two); });
    EXPECT_THROW((void)itertools::permutations(three, minus_one), usage_error);
}

ANYIO_TEST(itertools_counts, without_one_all_items_are_permuted) {
    const auto rows = co_await all(itertools::permutations(three));
    EXPECT_EQ(rows.size(), 6u);
    const auto rest = co_await all(itertools::islice(three, 1, itertools::no_stop));
    EXPECT_EQ(rest.size(), 2u);
}

ANYIO_TEST(itertools_counts, end_with_an_error_and_not_below_zero) {
    auto numbers = itertools::count(std::numeric_limits<int>::max() - 1);
    for (int i = 1; i >= 0; --i) {
        const auto number = co_await numbers.next();
        ANYIO_REQUIRE(number.has_value());
        EXPECT_EQ(*number, std::numeric_limits<int>::max() - i);
    }
    const auto next = co_await as_outcome(numbers.next());
    EXPECT_TRUE(is_error<std::overflow_error>(next.error()));
}

ANYIO_TEST(itertools_items, of_a_map_may_be_zipped_and_teed) {
    const std::map<int, std::string> names{{1, "one"}, {2, "two"}};
    const auto rows = co_await all(itertools::zip_longest(names, three));
    EXPECT_EQ(rows.size(), 3u);
    EXPECT_EQ(std::get<0>(rows[1])->second, "two");
    auto both = itertools::tee(names);
    for (auto& one : both) {
        std::string text;
        while (auto item = co_await one.next())
            text += item->second;
        EXPECT_EQ(text, "onetwo");
    }
}

ANYIO_TEST(itertools_items, that_only_move_may_be_batched_and_zipped) {
    auto made = []() -> async_generator<std::unique_ptr<int>> {
        for (int i = 0; i < 3; ++i)
            co_yield std::make_unique<int>(i);
    };
    auto batches = itertools::batched(made(), 2);
    const auto first = co_await batches.next();
    ANYIO_REQUIRE(first.has_value());
    EXPECT_EQ(*first->at(1), 1);
    auto rows = itertools::zip_longest(made(), three);
    const auto row = co_await rows.next();
    ANYIO_REQUIRE(row.has_value());
    EXPECT_EQ(**std::get<0>(*row), 0);
}

ANYIO_TEST(itertools_totals, survive_a_function_that_returns_its_argument) {
    using text = std::vector<int>;
    auto same = [](text&& total, int) -> text&& { return std::move(total); };
    const text first(4, 7);
    const text reduced = co_await functools::reduce(same, three, first);
    EXPECT_EQ(reduced.size(), 4u);
    auto totals = itertools::accumulate(three, same, first);
    while (auto total = co_await totals.next())
        EXPECT_EQ(total->size(), 4u);
}

// Sources that are always ready, and what passes everything over.
ANYIO_TEST(itertools_items, that_lie_ready_let_others_run) {
    bool others_ran = false;
    auto body = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            others_ran = true;
            co_return;
        });
        auto seen = [&](int number) { return others_ran || number > 100'000; };
        auto found = itertools::dropwhile(
            [&](int number) { return !seen(number); }, itertools::count(0)
        );
        (void)co_await found.next();
        EXPECT_TRUE(others_ran);
    };
    co_await with(create_task_group(), body);
    const ints none;
    for (int i = 0; i < 2; ++i) {
        co_await support::expect_lets_others_run(
            [&]() -> task<> {
                auto empty = itertools::chain(none, none);
                const auto item = co_await empty.next();
                EXPECT_FALSE(item);
            },
            "an empty chain"
        );
    }
}
