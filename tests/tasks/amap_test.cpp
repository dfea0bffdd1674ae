// SPDX-License-Identifier: MIT
#include <anyio/tasks/amap.hpp>

#include "support/anyio_test.hpp"
#include "support/census.hpp"

#include <algorithm>
#include <list>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>

using namespace anyio;
using namespace std::chrono_literals;
using support::census;
using support::counted;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

task<int> square(int n) {
    co_await sleep((10 - n) * 1s);
    co_return n* n;
}

task<std::size_t> length(const std::string& s) {
    co_await sleep(1s);
    co_return s.size();
}

/// How many calls run at the same time, at most.
class crowd {
public:
    task<int> enter(int n) {
        most = std::max(most, ++inside_);
        co_await sleep(1s);
        --inside_;
        co_return n;
    }

    int most = 0;

private:
    int inside_ = 0;
};

const std::vector<int> five{1, 2, 3, 4, 5};

}  // namespace

ANYIO_TEST(amap, returns_the_results_in_the_order_of_the_range) {
    const std::vector<int> results = co_await amap(five, square);
    EXPECT_THAT(results, ElementsAre(1, 4, 9, 16, 25));
    EXPECT_EQ(current_time(), time_point(9s)) << "all ran at once";
}

ANYIO_TEST(amap, with_a_limit_returns_the_same) {
    for (std::size_t limit = 1; limit <= 7; ++limit) {
        const std::vector<int> results = co_await amap(five, square, {.limit = limit});
        EXPECT_THAT(results, ElementsAre(1, 4, 9, 16, 25)) << "limit " << limit;
    }
}

ANYIO_TEST(amap, runs_no_more_calls_at_a_time_than_the_limit) {
    for (const std::size_t limit : {1u, 2u, 3u, 5u, 100u}) {
        crowd visitors;
        auto enter = [&](int n) { return visitors.enter(n); };
        const auto start = current_time();
        const auto results = co_await amap(five, enter, {.limit = limit});
        EXPECT_EQ(results, five);
        EXPECT_EQ(visitors.most, static_cast<int>(std::min<std::size_t>(limit, 5)));
        const auto rounds = static_cast<int>((5 + limit - 1) / limit);
        EXPECT_EQ(current_time() - start, std::max(rounds, 1) * 1s);
    }
}

ANYIO_TEST(amap, of_nothing_is_nothing) {
    const std::vector<int> none;
    const auto results = co_await amap(none, square);
    EXPECT_TRUE(results.empty());
    const auto limited = co_await amap(none, square, {.limit = 2});
    EXPECT_TRUE(limited.empty());
}

ANYIO_TEST(amap, refuses_a_limit_of_zero) {
    EXPECT_EQ(
        message_thrown_by<usage_error>([] { (void)amap(five, square, {.limit = 0}); }),
        "amap: a limit of 0 lets nothing run; leave it out for no limit"
    );
    co_return;
}

ANYIO_TEST(amap, passes_items_by_reference) {
    const std::list<std::string> words{"a", "bb", "ccc"};
    const auto result_1 = co_await amap(words, length);
    EXPECT_THAT(result_1, ElementsAre(1, 2, 3));
    const auto result_2 = co_await amap(words, length, {.limit = 2});
    EXPECT_THAT(result_2, ElementsAre(1, 2, 3));
    std::vector<int> counters{1, 2, 3};
    co_await amap(counters, [](int& n) -> task<> {
        co_await sleep(1s);
        n *= 10;
    });
    EXPECT_THAT(counters, ElementsAre(10, 20, 30));
    std::vector<std::unique_ptr<int>> owners;
    owners.push_back(std::make_unique<int>(7));
    const auto taken = co_await amap(owners, [](std::unique_ptr<int>& p) -> task<int> {
        const auto mine = std::move(p);
        co_return *mine;
    });
    EXPECT_THAT(taken, ElementsAre(7));
    EXPECT_EQ(owners[0], nullptr);
}

ANYIO_TEST(amap, keeps_a_temporary_range_until_the_end) {
    auto words = [] { return std::vector<std::string>(3, "a word of some length"); };
    const auto result_3 = co_await amap(words(), length);
    EXPECT_THAT(result_3, ElementsAre(21, 21, 21));
    const auto result_4 = co_await amap(words(), length, {.limit = 1});
    EXPECT_THAT(result_4, ElementsAre(21, 21, 21));
}

ANYIO_TEST(amap, takes_maps_arrays_and_ranges_that_make_their_items) {
    const std::map<int, std::string> names{{1, "one"}, {2, "two"}};
    auto join = [](const std::pair<const int, std::string>& entry
                ) -> task<std::string> {
        co_await sleep(1s);
        co_return describe(entry.first, entry.second);
    };
    const auto result_5 = co_await amap(names, join);
    EXPECT_THAT(result_5, ElementsAre("1one", "2two"));
    const int numbers[] = {9, 8};
    const auto result_6 = co_await amap(numbers, square);
    EXPECT_THAT(result_6, ElementsAre(81, 64));
    const std::vector<bool> bits{true, false};
    auto invert = [](bool b) -> task<bool> { co_return !b; };
    const auto result_7 = co_await amap(bits, invert);
    EXPECT_THAT(result_7, ElementsAre(false, true));
    const auto result_8 = co_await amap(bits, invert, {.limit = 1});
    EXPECT_THAT(result_8, ElementsAre(false, true));
}

namespace {

/// A range whose iterator yields the same string over and over, with other contents.
struct words_of {
    std::istringstream in;

    struct iterator {
        using value_type = std::string;
        using difference_type = std::ptrdiff_t;
        words_of* from;
        std::string word;

        std::string& operator*() { return word; }

        iterator& operator++() {
            if (!(from->in >> word))
                from = nullptr;
            return *this;
        }

        void operator++(int) { ++*this; }

        bool operator==(std::nullptr_t) const { return from == nullptr; }
    };

    iterator begin() { return ++iterator{this, {}}; }

    std::nullptr_t end() { return nullptr; }
};

}  // namespace

ANYIO_TEST(amap, copies_items_that_do_not_stay_where_they_are) {
    auto keep = [](const std::string& word) -> task<std::string> {
        co_await sleep(1s);
        co_return word;
    };
    words_of all{std::istringstream("one two three")};
    const auto result_9 = co_await amap(all, keep);
    EXPECT_THAT(result_9, ElementsAre("one", "two", "three"));
    words_of again{std::istringstream("one two three")};
    const auto result_10 = co_await amap(again, keep, {.limit = 2});
    EXPECT_THAT(result_10, ElementsAre("one", "two", "three"));
}

ANYIO_TEST(amap, takes_functions_that_return_operations) {
    auto wait = [](int n) { return sleep(n * 1s); };
    co_await amap(five, wait);
    EXPECT_EQ(current_time(), time_point(5s));
    co_await amap(five, wait, {.limit = 1});
    EXPECT_EQ(current_time(), time_point(20s));
}

ANYIO_TEST(amap, takes_a_function_with_state_by_name) {
    auto shared = std::make_shared<int>(10);
    auto add = [shared](int n) -> task<int> {
        co_await sleep(1s);
        co_return n + *shared;
    };
    const auto result_11 = co_await amap(five, add);
    EXPECT_THAT(result_11, ElementsAre(11, 12, 13, 14, 15));
    const auto result_12 = co_await amap(five, add, {.limit = 2});
    EXPECT_THAT(result_12, ElementsAre(11, 12, 13, 14, 15));
}

// --- errors and cancellation

ANYIO_TEST(amap, cancels_the_rest_when_one_call_fails) {
    for (const std::size_t limit : {std::size_t{2}, amap_options::unlimited}) {
        int begun = 0;
        int completed = 0;
        auto fail_at_two = [&](int n) -> task<> {
            ++begun;
            co_await sleep(1s);
            if (n == 2)
                throw std::runtime_error("two");
            co_await sleep(1s);
            ++completed;
        };
        auto ended = co_await as_outcome(amap(five, fail_at_two, {.limit = limit}));
        EXPECT_TRUE(is_error<exception_group>(ended.error()));
        EXPECT_THAT(messages_of(ended.error()), ElementsAre("two"));
        EXPECT_EQ(begun, limit == 2 ? 2 : 5);
        EXPECT_EQ(completed, 0);
    }
}

ANYIO_TEST(amap, with_a_limit_begins_no_call_after_one_has_failed_at_once) {
    int begun = 0;
    auto fail = [&](int) -> task<> {
        ++begun;
        throw std::runtime_error("at once");
        co_return;
    };
    auto ended = co_await as_outcome(amap(five, fail, {.limit = 2}));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("at once"));
    EXPECT_EQ(begun, 1);
}

ANYIO_TEST(amap, fails_if_the_function_throws_before_it_is_a_task) {
    auto refuse = [](int n) -> task<int> {
        if (n == 3)
            throw std::runtime_error("not three");
        return square(n);
    };
    auto ended = co_await as_outcome(amap(five, refuse));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("not three"));
    auto limited = co_await as_outcome(amap(five, refuse, {.limit = 2}));
    EXPECT_THAT(messages_of(limited.error()), ElementsAre("not three"));
}

ANYIO_TEST(amap, that_is_cancelled_ends_all_calls_before_it_ends) {
    census people;
    auto wait = [&](int n) -> task<counted> {
        const counted local(people);
        co_await sleep(n * 1s);
        co_return counted(people, n);
    };
    for (const std::size_t limit : {std::size_t{2}, amap_options::unlimited}) {
        const auto result =
            co_await move_on_after(2500ms, amap(five, wait, {.limit = limit}));
        EXPECT_FALSE(result.has_value());
        EXPECT_TRUE(people.balanced());
    }
    {
        const auto results = co_await amap(five, wait, {.limit = 3});
        EXPECT_EQ(results[4].value(), 5);
    }
    EXPECT_TRUE(people.balanced());
}

ANYIO_TEST(amap, names_its_tasks_after_the_function) {
    auto ended = co_await as_outcome(amap(five, [](int) -> task<> {
        throw std::runtime_error("oops");
        co_return;
    }));
    const auto* const group = caught_as<exception_group>(ended.error());
    ANYIO_REQUIRE(group != nullptr);
    EXPECT_THAT(group->members()[0].task, HasSubstr("lambda"));
}

ANYIO_TEST(amap, takes_a_hundred_thousand_items) {
    std::vector<int> items(100'000, 1);
    auto yield = [](int n) -> task<int> {
        co_await lowlevel::checkpoint();
        co_return n;
    };
    int sum = 0;
    for (const std::size_t limit : {std::size_t{10}, amap_options::unlimited}) {
        const auto results = co_await amap(items, yield, {.limit = limit});
        for (const int n : results)
            sum += n;
    }
    EXPECT_EQ(sum, 200'000);
}
