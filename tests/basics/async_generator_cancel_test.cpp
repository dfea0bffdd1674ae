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

namespace {

async_generator<int> guarded(census& objects, duration each) {
    const counted outer(objects);
    for (int i = 1;; ++i) {
        const counted inner(objects);
        co_await sleep(each);
        co_yield i;
    }
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
