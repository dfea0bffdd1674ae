// SPDX-License-Identifier: MIT
#include <anyio/basics/task.hpp>

#include "support/anyio_test.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using anyio::as_outcome;
using anyio::sleep;
using anyio::task;
using testing::ElementsAre;
using testing::HasSubstr;

static_assert(!std::is_copy_constructible_v<task<>>);
static_assert(!std::is_copy_assignable_v<task<>>);
static_assert(std::is_nothrow_move_constructible_v<task<int>>);
static_assert(std::is_nothrow_move_assignable_v<task<int>>);
static_assert(std::is_same_v<task<>, task<void>>);

namespace {

using notes = std::vector<std::string>;

task<> note(notes& log, std::string text) {
    log.push_back(std::move(text));
    co_return;
}

struct guard {
    notes& log;
    std::string name;

    ~guard() { log.push_back(name); }
};

task<int> depth(int levels) {
    if (levels == 0)
        co_return 0;
    const int below = co_await depth(levels - 1);
    co_return below + 1;
}

task<> sleep_deep(int levels) {
    if (levels == 0) {
        co_await sleep(1s);
        co_return;
    }
    co_await sleep_deep(levels - 1);
}

task<> fail_deep(notes& log, int levels) {
    const guard on_exit{log, std::to_string(levels)};
    if (levels == 0) {
        co_await sleep(1s);
        throw std::runtime_error("innermost");
    }
    co_await fail_deep(log, levels - 1);
}

}  // namespace

// --- lazy, awaited once

ANYIO_TEST(task, runs_when_it_is_awaited_and_not_before) {
    notes log;
    task<> later = note(log, "task");
    log.push_back("made");
    co_await sleep(1s);
    log.push_back("awaiting");
    co_await std::move(later);
    EXPECT_THAT(log, ElementsAre("made", "awaiting", "task"));
}

ANYIO_TEST(task, is_empty_once_it_has_been_awaited_or_moved) {
    notes log;
    task<> first = note(log, "a");
    EXPECT_TRUE(first);
    task<> second = std::move(first);
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): the point of the test
    EXPECT_TRUE(second);
    co_await std::move(second);
    EXPECT_FALSE(second);  // NOLINT(bugprone-use-after-move)
    EXPECT_THAT(log, ElementsAre("a"));
}

ANYIO_TEST(task, can_be_swapped_and_kept_in_containers) {
    notes log;
    std::vector<task<>> tasks;
    for (const char* name : {"a", "b", "c"})
        tasks.push_back(note(log, name));
    tasks[0].swap(tasks[2]);
    for (auto& each : tasks)
        co_await std::move(each);
    EXPECT_THAT(log, ElementsAre("c", "b", "a"));
}

ANYIO_TEST(task, runs_in_the_task_that_awaits_it) {
    std::uint64_t seen = 0;
    auto tell = [&]() -> task<> {
        co_await sleep(0s);
        seen = anyio::get_current_task().id();
    };
    co_await tell();
    EXPECT_EQ(seen, anyio::get_current_task().id());
}

TEST(task, may_be_made_before_there_is_a_loop) {
    notes log;
    task<> early = note(log, "early");
    anyio::run([&]() -> task<> { co_await std::move(early); });
    EXPECT_THAT(log, ElementsAre("early"));
}

// --- values

ANYIO_TEST(task, gives_a_value) {
    auto seven = []() -> task<int> { co_return 7; };
    const int value = co_await seven();
    EXPECT_EQ(value, 7);
    auto converts = []() -> task<std::string> { co_return "a literal"; };
    const std::string text = co_await converts();
    EXPECT_EQ(text, "a literal");
    auto braces = []() -> task<std::pair<int, int>> { co_return {1, 2}; };
    const auto [one, two] = co_await braces();
    EXPECT_EQ(one + two, 3);
}

ANYIO_TEST(task, gives_a_value_that_can_only_be_moved) {
    auto make = []() -> task<std::unique_ptr<int>> {
        auto value = std::make_unique<int>(7);
        co_await sleep(1s);
        co_return value;
    };
    const std::unique_ptr<int> value = co_await make();
    EXPECT_EQ(*value, 7);
}

ANYIO_TEST(task, gives_a_reference) {
    int object = 7;
    auto refer = [&]() -> task<int&> { co_return object; };
    int& value = co_await refer();
    EXPECT_EQ(&value, &object);
    auto refer_to_const = [&]() -> task<const int&> { co_return object; };
    const int& constant = co_await refer_to_const();
    EXPECT_EQ(&constant, &object);
    static_assert(std::is_same_v<decltype(refer())::value_type, int&>);
}

ANYIO_TEST(task, gives_a_value_without_a_default) {
    struct no_default {
        explicit no_default(int v) : value(v) {}

        int value;
    };

    auto make = [](bool late) -> task<no_default> {
        if (late)
            co_await sleep(1s);
        co_return no_default(7);
    };
    const auto early = co_await make(false);
    const auto late = co_await make(true);
    EXPECT_EQ(early.value + late.value, 14);
}

ANYIO_TEST(task, destroys_a_value_that_nobody_takes) {
    auto shared = std::make_shared<int>(7);
    auto make = [&]() -> task<std::shared_ptr<int>> { co_return shared; };
    (void)co_await make();
    EXPECT_EQ(shared.use_count(), 1);
}

// --- exceptions

ANYIO_TEST(task, throws_what_its_coroutine_throws) {
    auto fail = [](bool late) -> task<int> {
        if (late)
            co_await sleep(1s);
        throw std::runtime_error("oops");
    };
    for (const bool late : {false, true}) {
        std::string caught;
        try {
            (void)co_await fail(late);
        } catch (const std::runtime_error& e) {
            caught = e.what();
        }
        EXPECT_EQ(caught, "oops");
    }
}

ANYIO_TEST(task, hands_exceptions_through_ten_frames_the_innermost_first) {
    notes log;
    auto ended = co_await as_outcome(fail_deep(log, 9));
    EXPECT_EQ(message_of(ended.error()), "innermost");
    EXPECT_THAT(log, ElementsAre("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"));
}

ANYIO_TEST(task, goes_on_after_a_caught_exception) {
    notes log;
    auto middle = [&]() -> task<int> {
        for (int attempt = 1;; ++attempt) {
            try {
                co_await fail_deep(log, 2);
            } catch (const std::runtime_error&) {
                if (attempt == 3)
                    co_return attempt;
            }
        }
    };
    const int attempts = co_await middle();
    EXPECT_EQ(attempts, 3);
    EXPECT_EQ(log.size(), 9u);
}

ANYIO_TEST(task, throws_what_making_its_result_throws) {
    struct fails {
        fails() = default;

        fails(const fails&) { throw std::runtime_error("copy"); }
    };

    auto make = []() -> task<fails> {
        const fails local;
        co_return local;
    };
    auto ended = co_await as_outcome(make());
    EXPECT_EQ(message_of(ended.error()), "copy");
}

// --- parameters and locals

ANYIO_TEST(task, keeps_its_parameters_until_it_has_ended) {
    auto shared = std::make_shared<int>(7);
    auto take = [](std::shared_ptr<int> mine) -> task<long> {
        co_await sleep(1s);
        co_return mine.use_count();
    };
    const long during = co_await take(shared);
    EXPECT_EQ(during, 2);
    EXPECT_EQ(shared.use_count(), 1);
}

ANYIO_TEST(task, that_is_moved_over_drops_what_it_held) {
    auto shared = std::make_shared<int>(7);
    auto take = [](std::shared_ptr<int> mine) -> task<> {
        EXPECT_NE(mine, nullptr);
        co_return;
    };
    task<> kept = take(shared);
    EXPECT_EQ(shared.use_count(), 2);
    testing::internal::CaptureStderr();
    kept = take(std::make_shared<int>(8));
    testing::internal::GetCapturedStderr();
    EXPECT_EQ(shared.use_count(), 1);
    co_await std::move(kept);
}

// --- the stack

ANYIO_TEST(task, does_not_grow_the_stack_by_awaits_that_complete_at_once) {
    auto one = []() -> task<int> { co_return 1; };
    int sum = 0;
    for (int i = 0; i < 300'000; ++i) {
        const int value = co_await one();
        sum += value;
    }
    EXPECT_EQ(sum, 300'000);
}

ANYIO_TEST(task, may_be_a_hundred_thousand_frames_deep) {
    const int levels = co_await depth(100'000);
    EXPECT_EQ(levels, 100'000);
}

ANYIO_TEST(task, may_sleep_a_hundred_thousand_frames_deep) {
    co_await sleep_deep(100'000);
    EXPECT_EQ(anyio::current_time(), anyio::time_point(1s));
}

ANYIO_TEST(task, may_be_cancelled_a_hundred_thousand_frames_deep) {
    const bool completed = co_await anyio::move_on_after(500ms, sleep_deep(100'000));
    EXPECT_FALSE(completed);
}

ANYIO_TEST(task, may_throw_a_thousand_frames_deep) {
    notes log;
    auto ended = co_await as_outcome(fail_deep(log, 1000));
    EXPECT_EQ(message_of(ended.error()), "innermost");
    EXPECT_EQ(log.size(), 1001u);
}

// --- dropped

namespace {

template <class Action>
std::string stderr_of(Action action) {
    testing::internal::CaptureStderr();
    action();
    return testing::internal::GetCapturedStderr();
}

}  // namespace

TEST(task, that_is_dropped_says_so_in_debug_builds) {
    notes log;
    const std::string said = stderr_of([&] { (void)note(log, "never"); });
#if ANYIO_DEBUG
    EXPECT_THAT(said, HasSubstr("a task<> was dropped that nobody awaited"));
    EXPECT_THAT(said, HasSubstr("co_await it, or pass its function to start_soon"));
#else
    EXPECT_EQ(said, "");
#endif
    EXPECT_THAT(log, ElementsAre());
}

TEST(task, that_is_dropped_destroys_its_parameters) {
    auto shared = std::make_shared<int>(7);
    stderr_of([&] {
        task<> dropped = [](std::shared_ptr<int>) -> task<> { co_return; }(shared);
        EXPECT_EQ(shared.use_count(), 2);
    });
    EXPECT_EQ(shared.use_count(), 1);
}

ANYIO_TEST(task, that_was_awaited_is_not_dropped) {
    notes log;
    testing::internal::CaptureStderr();
    {
        task<> awaited = note(log, "a");
        co_await std::move(awaited);
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

ANYIO_TEST(task, that_an_exception_or_a_cancellation_leaves_behind_is_not_reported) {
    notes log;
    auto prepare = [&](bool fails) -> task<> {
        task<> prepared = note(log, "never");
        if (fails)
            throw std::runtime_error("oops");
        co_await anyio::sleep_forever();
        co_await std::move(prepared);
    };
    testing::internal::CaptureStderr();
    auto failed = co_await as_outcome(prepare(true));
    EXPECT_TRUE(failed.has_error());
    const bool completed = co_await anyio::move_on_after(1s, prepare(false));
    EXPECT_FALSE(completed);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_THAT(log, ElementsAre());
}
