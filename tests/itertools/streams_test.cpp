// SPDX-License-Identifier: MIT
#include <anyio/itertools/accumulate.hpp>
#include <anyio/itertools/batched.hpp>
#include <anyio/itertools/chain.hpp>
#include <anyio/itertools/count.hpp>
#include <anyio/itertools/islice.hpp>
#include <anyio/itertools/zip_longest.hpp>
#include "items.hpp"
#include "support/anyio_test.hpp"

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

using namespace anyio;
using namespace std::chrono_literals;
using namespace items;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

ANYIO_TEST(accumulate, gives_running_totals) {
    const ints values{1, 2, 3};
    const auto times = [](int a, int b) -> task<int> {
        co_await sleep(1s);
        co_return a* b;
    };
    const auto sums = co_await all(itertools::accumulate(values));
    EXPECT_THAT(sums, ElementsAre(1, 3, 6));
    const auto products = co_await all(itertools::accumulate(numbers(4, 1s), times));
    EXPECT_THAT(products, ElementsAre(1, 2, 6, 24));
    const auto later = co_await all(itertools::accumulate(numbers(2), std::plus(), 10));
    EXPECT_THAT(later, ElementsAre(10, 11, 13));
    const auto initial = co_await all(itertools::accumulate(ints(), std::plus(), 10));
    EXPECT_THAT(initial, ElementsAre(10));
    const auto none = co_await all(itertools::accumulate(numbers(0)));
    EXPECT_THAT(none, IsEmpty());
}

ANYIO_TEST(batched, collects_items) {
    const struct {
        int last;
        std::size_t size;
        rows expected;
    } cases[] = {
        {0, 2, {}},
        {4, 2, {{1, 2}, {3, 4}}},
        {3, 2, {{1, 2}, {3}}},
        {2, 1, {{1}, {2}}},
        {2, 9, {{1, 2}}},
    };

    for (const auto& each : cases) {
        const auto found =
            co_await all(itertools::batched(numbers(each.last), each.size));
        EXPECT_EQ(found, each.expected);
    }
}

ANYIO_TEST(batched, can_be_strict) {
    auto source = itertools::batched(numbers(3), 2, {.strict = true});
    const auto first = co_await source.next();
    EXPECT_EQ(first, ints({1, 2}));
    auto second = co_await as_outcome(source.next());
    EXPECT_THAT(message_of(second.error()), HasSubstr("has 1 of 2 items"));
    const auto even = co_await all(itertools::batched(numbers(4), 2, {.strict = true}));
    EXPECT_EQ(even.size(), 2u);
    EXPECT_THROW((void)itertools::batched(numbers(4), 0), usage_error);
}

ANYIO_TEST(pairwise, gives_each_item_with_the_next) {
    const auto pairs = co_await all(itertools::pairwise(numbers(3)));
    EXPECT_THAT(pairs, ElementsAre(Pair(1, 2), Pair(2, 3)));
    for (const int last : {0, 1}) {
        const auto none = co_await all(itertools::pairwise(numbers(last)));
        EXPECT_THAT(none, IsEmpty());
    }
}

ANYIO_TEST(chain, goes_from_one_to_the_next) {
    const ints values{7, 8};
    auto named = numbers(2, 1s);
    const std::list<long> nine{9};
    const auto chained =
        co_await all(itertools::chain(named, values, nine, numbers(0), numbers(1)));
    static_assert(std::is_same_v<decltype(chained), const std::vector<long>>);
    EXPECT_THAT(chained, ElementsAre(1, 2, 7, 8, 9, 1));
    const auto one = co_await all(itertools::chain(values));
    EXPECT_EQ(one, values);
}

ANYIO_TEST(chain_from_iterable, opens_iterables_one_at_a_time) {
    int opened = 0;
    auto sources = [&]() -> async_generator<async_generator<int>> {
        for (;;) {
            ++opened;
            co_yield numbers(2);
        }
    };
    auto chained = itertools::chain_from_iterable(sources());
    for (const int expected : {1, 2, 1, 2, 1}) {
        const auto item = co_await chained.next();
        EXPECT_EQ(item, expected);
    }
    EXPECT_EQ(opened, 3);
    const rows lists{{1}, {}, {2, 3}};
    const auto flat = co_await all(itertools::chain_from_iterable(lists));
    EXPECT_THAT(flat, ElementsAre(1, 2, 3));
}

ANYIO_TEST(count, never_ends) {
    const auto from_zero = co_await all(itertools::islice(itertools::count(), 3));
    EXPECT_THAT(from_zero, ElementsAre(0, 1, 2));
    const auto by_half = co_await all(itertools::islice(itertools::count(1.0, 0.5), 3));
    EXPECT_THAT(by_half, ElementsAre(1.0, 1.5, 2.0));
}

ANYIO_TEST(count, starves_nobody_and_can_be_cancelled) {
    int turns = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            while (++turns < 5)
                co_await lowlevel::checkpoint();
            tg.cancel();
        });
        auto endless = itertools::count();
        while (co_await endless.next()) {
        }
    });
    EXPECT_EQ(turns, 5);
}

ANYIO_TEST(cycle, begins_again_at_the_end) {
    const auto twice = co_await all(itertools::islice(itertools::cycle(numbers(2)), 5));
    EXPECT_THAT(twice, ElementsAre(1, 2, 1, 2, 1));
    const auto none = co_await all(itertools::cycle(numbers(0)));
    EXPECT_THAT(none, IsEmpty());
}

ANYIO_TEST(repeat, gives_the_same_again) {
    const auto words = co_await all(itertools::repeat(std::string("again"), 2));
    EXPECT_THAT(words, ElementsAre("again", "again"));
    const auto none = co_await all(itertools::repeat(1, 0));
    EXPECT_THAT(none, IsEmpty());
    const auto some = co_await all(itertools::islice(itertools::repeat("x"), 2));
    EXPECT_EQ(some.size(), 2u);
}

ANYIO_TEST(islice, takes_items_by_their_position) {
    const struct {
        std::size_t start, stop, step;
        ints expected;
        int taken;  // of 9
    } cases[] = {
        {0, 3, 1, {1, 2, 3}, 3},
        {2, 4, 1, {3, 4}, 4},
        {0, 0, 1, {}, 0},
        {5, 5, 1, {}, 0},
        {1, 6, 2, {2, 4, 6}, 6},
        {1, 7, 9, {2}, 7},
        {7, itertools::no_stop, 1, {8, 9}, 9},
        {0, itertools::no_stop, itertools::no_stop, {1}, 9},
        {20, 30, 1, {}, 9},
        {4, 2, 1, {}, 2},
    };

    for (const auto& each : cases) {
        auto source = numbers(9);
        const auto found =
            co_await all(itertools::islice(source, each.start, each.stop, each.step));
        EXPECT_EQ(found, each.expected);
        const auto next = co_await source.next();
        EXPECT_EQ(next.value_or(10), each.taken + 1);
    }
    EXPECT_THROW((void)itertools::islice(numbers(1), 0, 1, 0), usage_error);
}

ANYIO_TEST(zip_longest, goes_on_until_all_have_ended) {
    const std::vector<std::string> words{"a", "b", "c"};
    using row = std::tuple<std::optional<int>, std::optional<std::string>>;
    const auto table = co_await all(itertools::zip_longest(numbers(1, 1s), words));
    EXPECT_THAT(
        table, ElementsAre(row(1, "a"), row(std::nullopt, "b"), row(std::nullopt, "c"))
    );
    const auto none = co_await all(itertools::zip_longest(numbers(0), ints()));
    EXPECT_THAT(none, IsEmpty());
}

ANYIO_TEST(itertools, hand_on_what_can_only_be_moved) {
    auto make = []() -> async_generator<std::unique_ptr<int>> {
        for (int i = 1; i <= 3; ++i)
            co_yield std::make_unique<int>(i);
    };
    std::vector<std::unique_ptr<int>> owned;
    owned.push_back(std::make_unique<int>(4));
    auto source = itertools::batched(
        itertools::islice(itertools::chain(make(), std::move(owned)), 1, 9), 2
    );
    int sum = 0;
    while (auto batch = co_await source.next())
        for (const auto& each : *batch)
            sum += *each;
    EXPECT_EQ(sum, 9);
}

ANYIO_TEST(itertools, copy_out_of_named_ranges_and_generators_of_references) {
    std::vector<std::string> words{"a", "b"};
    auto refer = [&]() -> async_generator<std::string&> {
        for (auto& word : words)
            co_yield word;
    };
    const auto copies = co_await all(itertools::chain(refer(), words));
    EXPECT_THAT(copies, ElementsAre("a", "b", "a", "b"));
    EXPECT_THAT(words, ElementsAre("a", "b"));
}

ANYIO_TEST(itertools, are_unwound_with_their_sources) {
    auto source = itertools::chain(itertools::batched(numbers(9, 1s), 2));
    const auto cut = co_await move_on_after(1500ms, source.next());
    EXPECT_FALSE(cut);
    EXPECT_FALSE(source);
}
