// SPDX-License-Identifier: MIT
#include <anyio/basics/async_generator.hpp>

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
using support::census;
using support::counted;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

static_assert(!std::is_copy_constructible_v<async_generator<int>>);
static_assert(std::is_nothrow_move_constructible_v<async_generator<int>>);
static_assert(std::is_nothrow_move_assignable_v<async_generator<int>>);

namespace {

/// 1 to `last`; with a delay, each takes so long.
async_generator<int> numbers(int last, duration each = 0s) {
    for (int i = 1; i <= last; ++i) {
        if (each != 0s)
            co_await sleep(each);
        co_yield i;
    }
}

async_generator<int> doubled(async_generator<int> source) {
    while (auto item = co_await source.next())
        co_yield *item * 2;
}

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

async_generator<int> guarded(census& objects, duration each) {
    const counted outer(objects);
    for (int i = 1;; ++i) {
        const counted inner(objects);
        co_await sleep(each);
        co_yield i;
    }
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

task<std::vector<int>> all_of(async_generator<int> source) {
    std::vector<int> items;
    while (auto item = co_await source.next())
        items.push_back(*item);
    co_return items;
}

/// Awaits next() once and tells how that ended.
task<> one_next(async_generator<int>& source, std::vector<std::string>& log) {
    auto ended = co_await as_outcome(source.next());
    if (ended.is_cancelled())
        log.emplace_back("cancelled");
    else if (ended.has_error())
        log.push_back(message_of(ended.error()));
    else if (auto item = std::move(ended).value())
        log.push_back(std::to_string(*item));
    else
        log.emplace_back("end");
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

// --- cancellation

ANYIO_TEST(async_generator, does_not_run_in_a_scope_that_is_cancelled_already) {
    auto source = numbers(3);
    const auto first = co_await source.next();
    EXPECT_EQ(first, 1);
    co_await with(cancel_scope(), [&](cancel_scope& scope) -> task<> {
        scope.cancel();
        co_await source.next();
        ADD_FAILURE() << "next() is a checkpoint";
    });
    EXPECT_TRUE(source);
    const auto second = co_await source.next();
    EXPECT_EQ(second, 2);  // nothing was lost
}

ANYIO_TEST(async_generator, is_unwound_by_a_cancellation_while_it_awaits) {
    census objects;
    auto source = guarded(objects, 1s);
    const auto first = co_await source.next();
    EXPECT_EQ(first, 1);
    EXPECT_EQ(objects.alive(), 2);
    const auto cut = co_await move_on_after(500ms, source.next());
    EXPECT_FALSE(cut);
    EXPECT_FALSE(source);
    EXPECT_TRUE(objects.balanced());
    const auto after = co_await source.next();
    EXPECT_FALSE(after);
}

ANYIO_TEST(async_generator, is_unwound_before_it_has_yielded) {
    census objects;
    auto source = guarded(objects, 1s);
    const auto cut = co_await move_on_after(500ms, source.next());
    EXPECT_FALSE(cut);
    EXPECT_TRUE(objects.balanced());
}

ANYIO_TEST(async_generator, is_unwound_through_other_generators) {
    census objects;
    auto source = doubled(guarded(objects, 1s));
    co_await source.next();
    const auto cut = co_await move_on_after(500ms, source.next());
    EXPECT_FALSE(cut);
    EXPECT_FALSE(source);
    EXPECT_TRUE(objects.balanced());
}

ANYIO_TEST(async_generator, goes_with_the_consumer_that_is_cancelled) {
    census objects;
    co_await with(move_on_after(2500ms), [&]() -> task<> {
        auto source = guarded(objects, 1s);
        while (auto item = co_await source.next())
            EXPECT_LE(*item, 2);
    });
    EXPECT_TRUE(objects.balanced());

    co_await with(move_on_after(1500ms), [&]() -> task<> {  // between two items
        auto source = guarded(objects, 1s);
        while (auto item = co_await source.next())
            co_await sleep(1s);
    });
    EXPECT_TRUE(objects.balanced());
}

ANYIO_TEST(async_generator, an_item_that_has_come_is_not_lost_to_a_cancellation) {
    std::vector<std::string> log;
    event ready;
    auto make = [&]() -> async_generator<int> {
        co_await ready.wait();
        co_yield 7;
    };
    auto source = make();
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon(one_next, std::ref(source), std::ref(log));
        co_await wait_all_tasks_blocked();
        ready.set();
        tg.cancel();
    });
    EXPECT_THAT(log, ElementsAre("7"));
}

ANYIO_TEST(async_generator, tells_the_guards_of_a_cancellation) {
    bool unwound = false;

    struct guard {
        bool& unwound;

        ~guard() { unwound = unwinding(); }
    };

    auto make = [&]() -> async_generator<int> {
        const guard on_exit{unwound};
        co_await sleep(1s);
        co_yield 1;
    };
    auto source = make();
    co_await move_on_after(500ms, source.next());
    EXPECT_TRUE(unwound);
}

// --- dropped, moved, shared

ANYIO_TEST(async_generator, destroys_its_locals_at_once_when_it_is_dropped) {
    census objects;
    for (const int items : {0, 1, 3}) {
        auto source = guarded(objects, 1s);
        for (int i = 0; i < items; ++i)
            co_await source.next();
        EXPECT_EQ(objects.alive(), items == 0 ? 0 : 2);
        {
            const auto dropped = std::move(source);
        }
        EXPECT_TRUE(objects.balanced());
        const auto after = co_await source.next();  // NOLINT(bugprone-use-after-move)
        EXPECT_FALSE(after);
    }
}

ANYIO_TEST(async_generator, can_be_moved_and_assigned_between_items) {
    auto first = numbers(5);
    co_await first.next();
    auto second = std::move(first);
    auto item = co_await second.next();
    EXPECT_EQ(item, 2);
    first = numbers(9);
    co_await first.next();
    first = std::move(second);
    EXPECT_FALSE(second);  // NOLINT(bugprone-use-after-move)
    item = co_await first.next();
    EXPECT_EQ(item, 3);
    std::vector<async_generator<int>> many;
    for (int i = 1; i <= 9; ++i)
        many.push_back(numbers(i));
    for (auto& each : many) {
        item = co_await each.next();
        EXPECT_EQ(item, 1);
    }
}

ANYIO_TEST(async_generator, can_be_moved_while_a_task_waits_in_next) {
    for (const bool cancelled : {false, true}) {
        std::vector<std::string> log;
        std::optional<async_generator<int>> source = numbers(3, 1s);
        std::optional<async_generator<int>> elsewhere;
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon(one_next, std::ref(*source), std::ref(log));
            co_await sleep(500ms);
            elsewhere = std::move(source);
            source.reset();
            if (cancelled)
                tg.cancel();
        });
        EXPECT_THAT(log, ElementsAre(cancelled ? "cancelled" : "1"));
        EXPECT_EQ(static_cast<bool>(*elsewhere), !cancelled);
    }
}

ANYIO_TEST(async_generator, refuses_a_second_task_while_one_waits) {
    std::vector<std::string> log;
    auto source = numbers(3, 1s);
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon(one_next, std::ref(source), std::ref(log));
        tg.start_soon(one_next, std::ref(source), std::ref(log));
        co_await sleep(1500ms);
        tg.start_soon(one_next, std::ref(source), std::ref(log));
    });
    ANYIO_REQUIRE(log.size() == 3);
    EXPECT_THAT(log[0], HasSubstr("another task is already waiting for its next item"));
    EXPECT_THAT(log[0], HasSubstr("numbers"));
    EXPECT_THAT(log[0], HasSubstr("give each task a generator of its own"));
    EXPECT_EQ(log[1], "1");  // it did not suffer
    EXPECT_EQ(log[2], "2");
}

TEST(async_generator, may_be_made_and_dropped_without_a_loop) {
    census objects;
    {
        auto source = guarded(objects, 1s);
    }
    auto early = numbers(2);
    anyio::run([&]() -> task<> {
        const auto first = co_await early.next();
        EXPECT_EQ(first, 1);
    });
    EXPECT_TRUE(early);  // dropped after the loop has gone
}

TEST(async_generator_death, is_dropped_while_a_task_waits_in_it) {
    EXPECT_DEATH(
        anyio::run([]() -> task<> {
            std::vector<std::string> log;
            auto source = std::make_unique<async_generator<int>>(numbers(3, 1s));
            co_await with(create_task_group(), [&](task_group& tg) -> task<> {
                tg.start_soon(one_next, std::ref(*source), std::ref(log));
                co_await lowlevel::checkpoint();
                source.reset();
            });
        }),
        "destroyed while a task was waiting in its next\\(\\)"
    );
}

// --- cost

ANYIO_TEST(async_generator, lets_others_run) {
    int others = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            for (;; ++others)
                co_await lowlevel::checkpoint();
        });
        auto source = numbers(1000);
        while (auto item = co_await source.next()) {
        }
        tg.cancel();
    });
    EXPECT_GE(others, 5);
}

ANYIO_TEST(async_generator, yields_a_million_items_without_growing_the_stack) {
    std::uintptr_t low = ~std::uintptr_t{0};
    std::uintptr_t high = 0;
    auto source = doubled(numbers(1'000'000));
    long sum = 0;
    while (auto item = co_await source.next()) {
        const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        low = std::min(low, here);
        high = std::max(high, here);
        sum += *item;
    }
    EXPECT_EQ(sum, 1'000'001'000'000);
    EXPECT_LT(high - low, (ANYIO_SANITIZED ? 1024u : 256u) * 1024u);
}

ANYIO_TEST(async_generator, takes_up_with_suspension_again_and_again) {
    auto make = []() -> async_generator<int> {
        for (int i = 0; i < 1000; ++i) {
            if (i % 3 == 0)
                co_await lowlevel::checkpoint();
            co_yield 1;
        }
    };
    auto source = doubled(make());
    int sum = 0;
    while (auto item = co_await source.next())
        sum += *item;
    EXPECT_EQ(sum, 2000);
}
