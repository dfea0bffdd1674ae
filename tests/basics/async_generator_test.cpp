// SPDX-License-Identifier: MIT
#include <anyio/basics/async_generator.hpp>

#include "basics/generators.hpp"
#include "support/anyio_test.hpp"
#include "support/census.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace anyio;
using namespace std::chrono_literals;
using namespace generators;
using support::census;
using support::counted;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

static_assert(!std::is_copy_constructible_v<async_generator<int>>);
static_assert(std::is_nothrow_move_constructible_v<async_generator<int>>);
static_assert(std::is_nothrow_move_assignable_v<async_generator<int>>);

namespace {

/// Yields twice; throws after `good` of them.
async_generator<int> failing(int good, bool late) {
    for (int i = 0; i < 3; ++i) {
        if (late)
            co_await sleep(1s);
        if (i == good)
            throw std::runtime_error("no more");
        co_yield i;
    }
}

task<std::vector<int>> all_of(async_generator<int> source) {
    std::vector<int> items;
    while (auto item = co_await source.next())
        items.push_back(*item);
    co_return items;
}

/// A tree as a heap in an array: node n has children 2n and 2n + 1. In order.
async_generator<int> in_order(int node, int last) {
    if (node > last)
        co_return;
    auto left = in_order(2 * node, last);
    while (auto item = co_await left.next())
        co_yield *item;
    co_yield node;
    auto right = in_order(2 * node + 1, last);
    while (auto item = co_await right.next())
        co_yield *item;
}

}  // namespace

// --- items

ANYIO_TEST(async_generator, gives_what_it_yields_and_then_nothing_for_ever) {
    for (const auto each : {duration(0s), duration(1s)}) {
        auto source = numbers(3, each);
        std::vector<int> items;
        while (auto item = co_await source.next())
            items.push_back(*item);
        EXPECT_THAT(items, ElementsAre(1, 2, 3));
        EXPECT_FALSE(source);
        const auto again = co_await source.next();
        EXPECT_FALSE(again);
    }
}

ANYIO_TEST(async_generator, does_not_run_before_it_is_asked) {
    bool begun = false;
    auto make = [&]() -> async_generator<int> {
        begun = true;
        co_yield 1;
    };
    auto source = make();
    co_await sleep(1s);
    EXPECT_FALSE(begun);
    const auto first = co_await source.next();
    EXPECT_TRUE(begun);
    EXPECT_EQ(first, 1);
}

ANYIO_TEST(async_generator, may_yield_nothing) {
    for (const auto each : {duration(0s), duration(1s)}) {
        const auto items = co_await all_of(numbers(0, each));
        EXPECT_TRUE(items.empty());
    }
}

ANYIO_TEST(async_generator, runs_in_the_task_that_asks) {
    auto make = []() -> async_generator<std::uint64_t> {
        for (;;)
            co_yield get_current_task().id();
    };
    auto source = make();
    auto ask = [&]() -> task<> {
        const auto id = co_await source.next();
        EXPECT_EQ(id, get_current_task().id());
    };
    co_await ask();
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(ask);
        tg.start_soon(ask);
    });
}

ANYIO_TEST(async_generator, gives_values_that_can_only_be_moved) {
    auto make = []() -> async_generator<std::unique_ptr<int>> {
        co_yield std::make_unique<int>(1);
        auto named = std::make_unique<int>(2);
        co_yield std::move(named);
        auto moved_from = std::make_unique<int>(3);
        co_yield moved(moved_from);
        EXPECT_EQ(moved_from, nullptr);
    };
    auto source = make();
    int sum = 0;
    while (auto item = co_await source.next())
        sum += **item;
    EXPECT_EQ(sum, 6);
}

ANYIO_TEST(async_generator, gives_references_as_pointers) {
    std::vector<int> values{1, 2, 3};
    auto make = [&]() -> async_generator<int&> {
        for (int& value : values)
            co_yield value;
    };
    auto source = make();
    while (int* value = co_await source.next())
        *value *= 10;
    EXPECT_THAT(values, ElementsAre(10, 20, 30));

    auto make_const = []() -> async_generator<const std::string&> {
        co_yield std::string("a temporary lives until the next item is asked for");
    };
    auto constants = make_const();
    const std::string* text = co_await constants.next();
    ANYIO_REQUIRE(text);
    EXPECT_THAT(*text, HasSubstr("temporary"));
    text = co_await constants.next();
    EXPECT_EQ(text, nullptr);
}

ANYIO_TEST(async_generator, converts_what_is_yielded) {
    auto make = []() -> async_generator<std::string> {
        co_yield "a literal";
        co_yield std::string_view("a view");
        const std::string copied = "copied";
        co_yield copied;
        co_yield copied;
    };
    auto source = make();
    std::vector<std::string> items;
    while (auto item = co_await source.next())
        items.push_back(std::move(*item));
    EXPECT_THAT(items, ElementsAre("a literal", "a view", "copied", "copied"));
}

ANYIO_TEST(async_generator, yields_what_it_has_just_awaited) {
    auto late = [](std::string text) -> task<std::string> {
        co_await sleep(1s);
        co_return text;
    };
    auto make = [&]() -> async_generator<std::string> {
        co_yield co_await late("one");
        co_yield co_await late("two");
    };
    auto source = make();
    const auto one = co_await source.next();
    const auto two = co_await source.next();
    EXPECT_EQ(one, "one");
    EXPECT_EQ(two, "two");
}

ANYIO_TEST(async_generator, can_be_a_stage_between_others) {
    for (const auto each : {duration(0s), duration(1s)}) {
        const auto items = co_await all_of(doubled(doubled(numbers(3, each))));
        EXPECT_THAT(items, ElementsAre(4, 8, 12));
    }
}

ANYIO_TEST(async_generator, can_be_recursive) {
    const auto items = co_await all_of(in_order(1, 7));
    EXPECT_THAT(items, ElementsAre(4, 2, 5, 1, 6, 3, 7));
}

ANYIO_TEST(async_generator, uses_blocks_between_its_items) {
    auto make = []() -> async_generator<std::string> {
        for (const auto limit : {duration(1s), duration(3s)}) {
            const bool done = co_await with(move_on_after(limit), []() -> task<> {
                co_await sleep(2s);
            });
            co_yield done ? "done" : "too late";
        }
    };
    auto source = make();
    const auto first = co_await source.next();
    const auto second = co_await source.next();
    EXPECT_EQ(first, "too late");
    EXPECT_EQ(second, "done");
}

// --- errors

ANYIO_TEST(async_generator, throws_out_of_next_and_then_has_ended) {
    for (const bool late : {false, true}) {
        for (const int good : {0, 1, 2}) {  // before the first item, between, after
            auto source = failing(good, late);
            int items = 0;
            std::string caught;
            try {
                while (auto item = co_await source.next())
                    ++items;
            } catch (const std::runtime_error& e) {
                caught = e.what();
            }
            EXPECT_EQ(items, good);
            EXPECT_EQ(caught, "no more");
            EXPECT_FALSE(source);
            const auto after = co_await source.next();
            EXPECT_FALSE(after);
        }
    }
}

ANYIO_TEST(async_generator, throws_through_other_generators) {
    auto source = doubled(failing(1, true));
    const auto first = co_await source.next();
    EXPECT_EQ(first, 0);
    auto second = co_await as_outcome(source.next());
    EXPECT_EQ(message_of(second.error()), "no more");
}

ANYIO_TEST(async_generator, keeps_its_place_if_an_item_cannot_be_copied) {
    struct picky {
        explicit picky(int v) : value(v) {
            if (v == 2)
                throw std::runtime_error("not two");
        }

        int value;
    };

    auto make = []() -> async_generator<picky> {
        for (int i = 1; i <= 3; ++i) {
            bool skipped = false;
            try {
                co_yield i;
            } catch (const std::runtime_error&) {
                skipped = true;
            }
            EXPECT_EQ(skipped, i == 2);
        }
    };
    auto source = make();
    int sum = 0;
    while (auto item = co_await source.next())
        sum += item->value;
    EXPECT_EQ(sum, 4);
}
