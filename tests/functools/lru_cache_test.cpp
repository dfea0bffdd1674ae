// SPDX-License-Identifier: MIT
#include <anyio/functools/lru_cache.hpp>

#include "support/anyio_test.hpp"

#include <cmath>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

namespace {

/// A slow function, and what has become of its calls.
struct oracle {
    std::vector<int> calls{};
    duration takes = 0s;
    bool fails = false;

    /// The square, in time.
    auto function() {
        return [this](int number) -> task<int> {
            calls.push_back(number);
            const bool failing = fails;
            if (takes != 0s)
                co_await sleep(takes);
            if (failing)
                throw std::runtime_error("no answer");
            co_return number* number;
        };
    }
};

template <class Cached>
task<> ask(Cached cached, int number, std::vector<std::string>& log) {
    auto ended = co_await as_outcome(cached(number));
    if (ended.is_cancelled())
        log.emplace_back("cancelled");
    else if (ended.has_error())
        log.push_back(message_of(ended.error()));
    else
        log.push_back(std::to_string(std::move(ended).value()));
}

task<std::string> greeting(std::string name, int times) {
    co_return name + std::to_string(times);
}

}  // namespace

// --- results

ANYIO_TEST(lru_cache, calls_once_for_each_set_of_arguments) {
    oracle it;
    const auto square = functools::cache(it.function());
    for (const int number : {2, 3, 2, 2, 3}) {
        const int result = co_await square(number);
        EXPECT_EQ(result, number * number);
    }
    EXPECT_THAT(it.calls, ElementsAre(2, 3));
    const functools::cache_statistics expected{
        .hits = 3, .misses = 2, .max_size = functools::unlimited, .size = 2
    };
    EXPECT_EQ(square.cache_info(), expected);
}

ANYIO_TEST(lru_cache, takes_functions_and_arguments_that_convert) {
    const auto greet = functools::lru_cache(greeting);
    const std::string first = co_await greet("Ada", 2);
    const std::string second = co_await greet(std::string("Ada"), short{2});
    EXPECT_EQ(first, "Ada2");
    EXPECT_EQ(second, "Ada2");
    EXPECT_EQ(greet.cache_info().hits, 1u);
    EXPECT_EQ(greet.cache_parameters().max_size, 128u);
}

ANYIO_TEST(lru_cache, remembers_that_a_function_without_result_was_called) {
    int calls = 0;
    const auto once = functools::cache([&]() -> task<> {
        ++calls;
        co_return;
    });
    co_await once();
    co_await once();
    EXPECT_EQ(calls, 1);
}

ANYIO_TEST(lru_cache, evicts_the_result_that_was_used_least_recently) {
    oracle it;
    const auto square = functools::lru_cache(it.function(), {.max_size = 2});
    for (const int number : {1, 2, 1, 3, 1, 2})  // 3 takes the place of 2
        co_await square(number);
    EXPECT_THAT(it.calls, ElementsAre(1, 2, 3, 2));
    EXPECT_EQ(square.cache_info().size, 2u);
}

ANYIO_TEST(lru_cache, keeps_nothing_if_there_is_no_room) {
    oracle it;
    const auto square = functools::lru_cache(it.function(), {.max_size = 0});
    co_await square(2);
    co_await square(2);
    EXPECT_THAT(it.calls, ElementsAre(2, 2));
    EXPECT_EQ(square.cache_info().misses, 2u);
}

ANYIO_TEST(lru_cache, forgets_results_after_their_time) {
    oracle it;
    const auto square = functools::lru_cache(it.function(), {.ttl = 10s});
    co_await square(2);
    co_await sleep(9s);
    co_await square(2);  // does not make it good for longer
    EXPECT_EQ(it.calls.size(), 1u);
    co_await sleep(1s);
    co_await square(2);
    EXPECT_EQ(it.calls.size(), 2u);
    EXPECT_EQ(square.cache_info().size, 1u);
}

ANYIO_TEST(lru_cache, can_be_cleared) {
    oracle it;
    const auto square = functools::cache(it.function());
    co_await square(2);
    square.cache_clear();
    EXPECT_EQ(square.cache_info().size, 0u);
    EXPECT_EQ(square.cache_info().misses, 0u);
    co_await square(2);
    EXPECT_EQ(it.calls.size(), 2u);
}

ANYIO_TEST(lru_cache, yields_with_a_result_only_if_asked_to) {
    for (const bool always : {false, true}) {
        oracle it;
        const auto square =
            functools::lru_cache(it.function(), {.always_checkpoint = always});
        co_await square(2);
        const bool completed =
            co_await with(cancel_scope(), [&](cancel_scope& scope) -> task<> {
                scope.cancel();
                co_await square(2);
            });
        EXPECT_EQ(completed, !always);
    }
}

// --- several callers

ANYIO_TEST(lru_cache, makes_one_call_for_all_who_wait_for_it) {
    oracle it{.takes = 1s};
    std::vector<std::string> log;
    const auto square = functools::cache(it.function());
    co_await with(create_task_group(), [&](task_group& tg) {
        for (int i = 0; i < 3; ++i)
            tg.start_soon(ask<decltype(square)>, square, 2, std::ref(log));
        tg.start_soon(ask<decltype(square)>, square, 3, std::ref(log));
    });
    EXPECT_THAT(it.calls, ElementsAre(2, 3));  // different keys do not wait
    EXPECT_THAT(log, ElementsAre("4", "9", "4", "4"));
    EXPECT_EQ(square.cache_info().hits, 2u);
}

ANYIO_TEST(lru_cache, lets_the_next_try_after_an_error) {
    oracle it{.takes = 1s, .fails = true};
    std::vector<std::string> log;
    const auto square = functools::cache(it.function());
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int i = 0; i < 3; ++i)
            tg.start_soon(ask<decltype(square)>, square, 2, std::ref(log));
        co_await sleep(500ms);
        EXPECT_EQ(square.cache_info().size, 0u);  // under way is not there
        co_await sleep(1s);  // the first has failed, the second has begun
        it.fails = false;
    });
    EXPECT_THAT(log, ElementsAre("no answer", "no answer", "4"));
    EXPECT_THAT(it.calls, ElementsAre(2, 2, 2));
    EXPECT_EQ(square.cache_info().size, 1u);
}

ANYIO_TEST(lru_cache, hands_a_cancelled_call_to_another_caller) {
    oracle it{.takes = 1s};
    std::vector<std::string> log;
    const auto square = functools::cache(it.function());
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto first = tg.create_task(ask<decltype(square)>, square, 2, std::ref(log));
        tg.start_soon(ask<decltype(square)>, square, 2, std::ref(log));
        auto third = tg.create_task(ask<decltype(square)>, square, 2, std::ref(log));
        tg.start_soon(ask<decltype(square)>, square, 2, std::ref(log));
        co_await sleep(500ms);
        third.cancel();  // one that waits just leaves
        first.cancel();
    });
    EXPECT_THAT(log, ElementsAre("cancelled", "cancelled", "4", "4"));
    EXPECT_THAT(it.calls, ElementsAre(2, 2));
    EXPECT_EQ(square.cache_info().size, 1u);
}

ANYIO_TEST(lru_cache, keeps_nothing_of_calls_that_were_cancelled) {
    oracle it{.takes = 1s};
    const auto square = functools::cache(it.function());
    co_await move_on_after(500ms, square(2));
    EXPECT_EQ(square.cache_info().size, 0u);
    const int result = co_await square(2);
    EXPECT_EQ(result, 4);
}

ANYIO_TEST(lru_cache, does_not_evict_calls_under_way) {
    oracle it{.takes = 1s};
    std::vector<std::string> log;
    const auto square = functools::lru_cache(it.function(), {.max_size = 1});
    co_await with(create_task_group(), [&](task_group& tg) {
        for (const int number : {1, 2, 3, 1, 2, 3})
            tg.start_soon(ask<decltype(square)>, square, number, std::ref(log));
    });
    EXPECT_THAT(log, UnorderedElementsAre("1", "4", "9", "1", "4", "9"));
    EXPECT_THAT(it.calls, ElementsAre(1, 2, 3));
    EXPECT_EQ(square.cache_info().size, 1u);
}

ANYIO_TEST(lru_cache, does_not_keep_what_was_under_way_when_it_was_cleared) {
    oracle it{.takes = 2s};
    std::vector<std::string> log;
    const auto square = functools::cache(it.function());
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon(ask<decltype(square)>, square, 2, std::ref(log));
        tg.start_soon(ask<decltype(square)>, square, 2, std::ref(log));
        co_await sleep(1s);
        square.cache_clear();
        tg.start_soon(ask<decltype(square)>, square, 2, std::ref(log));
        co_await sleep(1500ms);
        EXPECT_EQ(square.cache_info().size, 0u);  // the first has ended
    });
    EXPECT_THAT(log, ElementsAre("4", "4", "4"));
    EXPECT_THAT(it.calls, ElementsAre(2, 2));
    EXPECT_EQ(square.cache_info().size, 1u);
}

ANYIO_TEST(lru_cache, says_so_if_a_call_waits_for_itself) {
    functools::lru_cached<task<int> (*)(int)>* self = nullptr;
    static decltype(self)* again;
    again = &self;
    auto fibonacci = functools::cache(+[](int n) -> task<int> {
        const int less = n == 0 ? 0 : 1;
        const int below = co_await (**again)(n - less);
        co_return below + 1;
    });
    self = &fibonacci;
    auto ended = co_await as_outcome(fibonacci(3));
    EXPECT_THAT(
        message_of(ended.error()), HasSubstr("asks for the result that it is to make")
    );
    EXPECT_EQ(fibonacci.cache_info().size, 0u);
}

ANYIO_TEST(lru_cache, may_go_while_a_call_is_under_way) {
    oracle it{.takes = 1s};
    std::vector<std::string> log;
    co_await with(create_task_group(), [&](task_group& tg) {
        const auto square = functools::cache(it.function());
        tg.start_soon(ask<decltype(square)>, square, 2, std::ref(log));
    });
    EXPECT_THAT(log, ElementsAre("4"));
}

// --- several loops

TEST(lru_cache, keeps_the_results_of_each_loop_apart) {
    oracle it;
    const auto square = functools::cache(it.function());
    const auto main = [&]() -> task<> {
        co_await square(2);
        co_await square(2);
        EXPECT_EQ(square.cache_info().hits, 1u);
    };
    anyio::run(main);
    std::thread([&] { anyio::run(main); }).join();
    EXPECT_EQ(it.calls.size(), 2u);
    EXPECT_THROW((void)square.cache_info(), no_event_loop_error);
}

ANYIO_TEST(lru_cache, does_not_mistake_another_for_itself) {
    for (int i = 0; i < 10; ++i) {  // the memory of one is that of the next
        const auto number = functools::cache([i](int) -> task<int> { co_return i; });
        const int result = co_await number(0);
        EXPECT_EQ(result, i);
        const auto text = functools::cache([](int n) -> task<std::string> {
            co_return std::to_string(n);
        });
        const auto words = co_await text(i);
        EXPECT_EQ(words, std::to_string(i));
    }
}

// --- keys and values of all kinds

ANYIO_TEST(lru_cache, a_key_that_does_not_equal_itself_is_not_kept) {
    int calls = 0;
    auto square = functools::cache([&](double x) -> task<double> {
        ++calls;
        co_return x* x;
    });
    for (int i = 0; i < 100; ++i)
        (void)co_await square(std::nan(""));
    EXPECT_EQ(calls, 100);
    EXPECT_EQ(square.cache_info().size, 0u);
    EXPECT_EQ(square.cache_info().misses, 100u);
    (void)co_await square(2.0);
    (void)co_await square(2.0);
    EXPECT_EQ(calls, 101);
}

namespace {

/// Compares and hashes by what it points to, which may change.
struct by_content {
    std::shared_ptr<std::string> text;

    friend bool operator==(const by_content& a, const by_content& b) {
        return *a.text == *b.text;
    }
};

}  // namespace

template <>
struct std::hash<by_content> {
    std::size_t operator()(const by_content& key) const {
        return std::hash<std::string>()(*key.text);
    }
};

ANYIO_TEST(lru_cache, a_key_that_changes_is_forgotten_in_its_turn) {
    auto size = functools::lru_cache(
        [](by_content key) -> task<std::size_t> { co_return key.text->size(); },
        {.max_size = 4}
    );
    std::weak_ptr<std::string> first;
    for (int i = 0; i < 10; ++i) {
        by_content key{std::make_shared<std::string>(static_cast<std::size_t>(i), 'a')};
        (void)co_await size(key);
        *key.text += "changed";
        if (i == 0)
            first = key.text;
    }
    EXPECT_EQ(size.cache_info().size, 4u);
    EXPECT_TRUE(first.expired());
}

ANYIO_TEST(lru_cache, destructors_of_values_may_clear_the_cache) {
    std::function<void()> clear = [] {};
    int destroyed = 0;
    auto make = functools::lru_cache(
        [&](int) -> task<std::shared_ptr<int>> {
            co_return std::shared_ptr<int>(new int, [&](const int* value) {
                delete value;
                ++destroyed;
                clear();
            });
        },
        {.max_size = 2, .ttl = 1s}
    );
    clear = [&] { make.cache_clear(); };
    (void)co_await make(1);
    co_await sleep(2s);
    (void)co_await make(1);  // the first has expired
    EXPECT_EQ(destroyed, 1);
    (void)co_await make(2);
    (void)co_await make(3);  // no room for all
    EXPECT_GE(destroyed, 2);
    make.cache_clear();
    clear = [] {};
    EXPECT_EQ(make.cache_info().size, 0u);
}
