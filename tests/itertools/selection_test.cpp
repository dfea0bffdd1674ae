// SPDX-License-Identifier: MIT
#include <anyio/itertools/combinatorics.hpp>
#include <anyio/itertools/filter.hpp>
#include <anyio/itertools/groupby.hpp>
#include <anyio/itertools/starmap.hpp>
#include <anyio/itertools/tee.hpp>
#include "items.hpp"
#include "support/anyio_test.hpp"

#include <stdexcept>
#include <string>
#include <utility>

using namespace anyio;
using namespace std::chrono_literals;
using namespace items;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

ANYIO_TEST(compress, takes_what_is_selected) {
    const std::vector<bool> mask{true, false, true};
    const auto some = co_await all(itertools::compress(numbers(9), mask));
    EXPECT_THAT(some, ElementsAre(1, 3));
    const auto fewer = co_await all(itertools::compress(numbers(1), mask));
    EXPECT_THAT(fewer, ElementsAre(1));
    const ints weights{0, 1, 0, 1};
    const auto by_number = co_await all(itertools::compress(numbers(3), weights));
    EXPECT_THAT(by_number, ElementsAre(2));
}

ANYIO_TEST(dropwhile, leaves_out_the_beginning) {
    const ints values{1, 3, 4, 5, 6};
    const auto rest = co_await all(itertools::dropwhile(is_odd, values));
    EXPECT_THAT(rest, ElementsAre(4, 5, 6));
    const auto plain =
        co_await all(itertools::dropwhile([](int i) { return i < 3; }, numbers(4)));
    EXPECT_THAT(plain, ElementsAre(3, 4));
    const auto none =
        co_await all(itertools::dropwhile([](int) { return true; }, values));
    EXPECT_THAT(none, IsEmpty());
}

ANYIO_TEST(filterfalse, takes_what_does_not_hold) {
    const auto even = co_await all(itertools::filterfalse(is_odd, numbers(5)));
    EXPECT_THAT(even, ElementsAre(2, 4));
    const auto large =
        co_await all(itertools::filterfalse([](int i) { return i < 4; }, numbers(5)));
    EXPECT_THAT(large, ElementsAre(4, 5));
}

ANYIO_TEST(filterfalse, can_be_cancelled_though_it_yields_nothing) {
    auto forever_true = [](int) { return true; };
    auto endless = []() -> async_generator<int> {
        for (;;)
            co_yield 1;
    };
    auto source = itertools::filterfalse(forever_true, endless());
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            tg.cancel();
            co_return;
        });
        co_await source.next();
        ADD_FAILURE() << "there is no such item";
    });
}

ANYIO_TEST(takewhile, ends_at_the_first_that_does_not_hold_and_drops_it) {
    auto source = numbers(9);
    const auto small =
        co_await all(itertools::takewhile([](int i) { return i < 3; }, source));
    EXPECT_THAT(small, ElementsAre(1, 2));
    const auto next = co_await source.next();
    EXPECT_EQ(next, 4);
    const ints values{1, 3, 4, 5};
    const auto odd = co_await all(itertools::takewhile(is_odd, values));
    EXPECT_THAT(odd, ElementsAre(1, 3));
    const auto none = co_await all(itertools::takewhile(is_odd, numbers(0)));
    EXPECT_THAT(none, IsEmpty());
}

ANYIO_TEST(groupby, joins_neighbours) {
    const ints values{1, 1, 2, 1};
    const auto same = co_await all(itertools::groupby(values));
    EXPECT_THAT(
        same,
        ElementsAre(
            Pair(1, ElementsAre(1, 1)), Pair(2, ElementsAre(2)), Pair(1, ElementsAre(1))
        )
    );
    const ints more{1, 3, 2, 5};
    const auto by_oddness = co_await all(itertools::groupby(more, is_odd));
    EXPECT_THAT(
        by_oddness,
        ElementsAre(
            Pair(true, ElementsAre(1, 3)),
            Pair(false, ElementsAre(2)),
            Pair(true, ElementsAre(5))
        )
    );
    const auto none = co_await all(itertools::groupby(numbers(0)));
    EXPECT_THAT(none, IsEmpty());
}

ANYIO_TEST(starmap, calls_with_tuples) {
    const std::vector<std::pair<int, int>> arguments{{1, 2}, {3, 4}};
    const auto add = [](int a, int b) { return a + b; };
    const auto sums = co_await all(itertools::starmap(add, arguments));
    EXPECT_THAT(sums, ElementsAre(3, 7));
    const auto times = [](int a, int b) -> task<std::string> {
        co_await sleep(1s);
        co_return std::to_string(a * b);
    };
    const auto products = co_await all(itertools::starmap(times, arguments));
    EXPECT_THAT(products, ElementsAre("2", "12"));
}

ANYIO_TEST(combinations, choose_in_order) {
    const struct {
        int last;
        std::size_t length;
        rows expected;
    } cases[] = {
        {4, 2, {{1, 2}, {1, 3}, {1, 4}, {2, 3}, {2, 4}, {3, 4}}},
        {3, 3, {{1, 2, 3}}},
        {2, 3, {}},
        {2, 0, {{}}},
        {0, 0, {{}}},
        {0, 1, {}},
    };

    for (const auto& each : cases) {
        const auto found =
            co_await all(itertools::combinations(numbers(each.last), each.length));
        EXPECT_EQ(found, each.expected);
    }
}

ANYIO_TEST(combinations_with_replacement, may_choose_one_twice) {
    const struct {
        int last;
        std::size_t length;
        rows expected;
    } cases[] = {
        {3, 2, {{1, 1}, {1, 2}, {1, 3}, {2, 2}, {2, 3}, {3, 3}}},
        {1, 3, {{1, 1, 1}}},
        {2, 0, {{}}},
        {0, 0, {{}}},
        {0, 1, {}},
    };

    for (const auto& each : cases) {
        const auto found = co_await all(
            itertools::combinations_with_replacement(numbers(each.last), each.length)
        );
        EXPECT_EQ(found, each.expected);
    }
}

ANYIO_TEST(permutations, choose_in_any_order) {
    const struct {
        int last;
        std::size_t length;
        rows expected;
    } cases[] = {
        {3, 3, {{1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1}}},
        {3, 2, {{1, 2}, {1, 3}, {2, 1}, {2, 3}, {3, 1}, {3, 2}}},
        {3, 1, {{1}, {2}, {3}}},
        {2, 0, {{}}},
        {0, 0, {{}}},
        {2, 3, {}},
    };

    for (const auto& each : cases) {
        const auto found =
            co_await all(itertools::permutations(numbers(each.last), each.length));
        EXPECT_EQ(found, each.expected);
    }
    const auto orders = co_await all(itertools::permutations(numbers(4)));
    EXPECT_EQ(orders.size(), 24u);
    EXPECT_EQ(orders.back(), ints({4, 3, 2, 1}));
}

ANYIO_TEST(product, gives_all_rows) {
    using row = std::tuple<int, std::string>;
    const std::vector<std::string> words{"a", "b"};
    const auto table = co_await all(itertools::product(numbers(2, 1s), words));
    EXPECT_THAT(table, ElementsAre(row(1, "a"), row(1, "b"), row(2, "a"), row(2, "b")));
    const auto none = co_await all(itertools::product(numbers(2), ints()));
    EXPECT_THAT(none, IsEmpty());

    const struct {
        int last;
        std::size_t times;
        rows expected;
    } cases[] = {
        {2, 2, {{1, 1}, {1, 2}, {2, 1}, {2, 2}}},
        {2, 0, {{}}},
        {0, 0, {{}}},
        {0, 2, {}},
    };

    for (const auto& each : cases) {
        const auto found =
            co_await all(itertools::product(numbers(each.last), each.times));
        EXPECT_EQ(found, each.expected);
    }
}

// --- tee

ANYIO_TEST(tee, gives_all_items_to_each_consumer) {
    auto consumers = itertools::tee(numbers(3, 1s), 3);
    std::vector<ints> found(3);
    auto read = [&](std::size_t which) -> task<> {
        while (auto item = co_await consumers[which].next())
            found[which].push_back(*item);
    };
    co_await with(create_task_group(), [&](task_group& tg) {
        for (std::size_t i = 0; i < 3; ++i)
            tg.start_soon(read, i);
    });
    for (const auto& each : found)
        EXPECT_THAT(each, ElementsAre(1, 2, 3));
    EXPECT_THAT(itertools::tee(numbers(3), 0), IsEmpty());
}

ANYIO_TEST(tee, keeps_items_for_the_slow_and_nothing_for_those_that_have_gone) {
    auto shared = std::make_shared<int>(7);
    auto make = [&]() -> async_generator<std::shared_ptr<int>> {
        for (int i = 0; i < 100'000; ++i)
            co_yield shared;
    };
    auto consumers = itertools::tee(make());
    while (co_await consumers[0].next()) {
    }
    EXPECT_EQ(shared.use_count(), 100'001);
    const auto first = co_await consumers[1].next();
    EXPECT_TRUE(first);
    consumers.pop_back();  // 99 999 links at once
    EXPECT_EQ(shared.use_count(), 2);
}

ANYIO_TEST(tee, survives_a_consumer_that_is_cancelled_while_another_reads) {
    auto consumers = itertools::tee(numbers(2, 1s));
    ints found;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            while (auto item = co_await consumers[0].next())
                found.push_back(*item);
        });
        co_await sleep(500ms);
        const auto cut = co_await move_on_after(100ms, consumers[1].next());
        EXPECT_FALSE(cut);
        EXPECT_FALSE(consumers[1]);
    });
    EXPECT_THAT(found, ElementsAre(1, 2));
}

ANYIO_TEST(tee, gives_an_error_to_the_one_that_asked) {
    auto failing = []() -> async_generator<int> {
        co_yield 1;
        throw std::runtime_error("no more");
    };
    auto consumers = itertools::tee(failing());
    co_await consumers[0].next();
    auto ended = co_await as_outcome(consumers[0].next());
    EXPECT_EQ(message_of(ended.error()), "no more");
    const auto other = co_await all(std::move(consumers[1]));
    EXPECT_THAT(other, ElementsAre(1));
}
