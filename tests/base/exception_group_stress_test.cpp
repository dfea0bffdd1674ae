#include <anyio/base/cause.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/base/exception_group.hpp>  // first: proves that it compiles alone

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using anyio::exception_group;

namespace {

constexpr int levels = 100'000;
constexpr int fewer_levels = 20'000;  // what takes longer

struct numbered {
    int number;
};

std::exception_ptr nested(int depth, std::exception_ptr error) {
    for (int i = 0; i < depth; ++i) {
        error = std::make_exception_ptr(
            exception_group("level", std::vector{std::move(error)})
        );
    }
    return error;
}

using dice = std::mt19937;

int number_up_to(dice& generator, int last) {
    return std::uniform_int_distribution(0, last)(generator);
}

/// A tree with leaves 0, 1, 2, … in depth order.
exception_group tree(dice& generator, int& next, int depth) {
    std::vector<std::exception_ptr> errors;
    const int count = 1 + number_up_to(generator, 3);
    for (int i = 0; i < count; ++i) {
        if (depth > 0 && number_up_to(generator, 1) == 0) {
            errors.push_back(std::make_exception_ptr(tree(generator, next, depth - 1)));
        } else {
            errors.push_back(std::make_exception_ptr(numbered{next++}));
        }
    }
    return exception_group(std::to_string(depth), std::move(errors));
}

int number(const std::exception_ptr& leaf) {
    const auto* error = anyio::caught_as<numbered>(leaf);
    return error == nullptr ? -1 : error->number;
}

std::vector<int> numbers(const std::optional<exception_group>& group) {
    std::vector<int> result;
    if (group) {
        for (const std::exception_ptr& leaf : group->leaves()) {
            result.push_back(number(leaf));
        }
    }
    return result;
}

}  // namespace

TEST(exception_group_stress, a_hundred_thousand_levels_overflow_no_stack) {
    const auto leaf = std::make_exception_ptr(numbered{1});
    exception_group deep = anyio::to_exception_group(nested(levels, leaf));
    EXPECT_TRUE(deep.contains<numbered>());
    EXPECT_EQ(deep.unwrap_single(), leaf);
    EXPECT_EQ(deep.leaves().size(), 1u);
    EXPECT_NE(deep.what(), nullptr);
    EXPECT_FALSE(deep.handle<numbered>([](const auto& errors) {
        EXPECT_EQ(errors.size(), 1u);
    }));
    deep = exception_group("done", {leaf});  // destroys them
    EXPECT_EQ(deep.size(), 1u);
}

TEST(exception_group_stress, splitting_many_levels_in_two) {
    auto error = std::make_exception_ptr(numbered{0});
    for (int i = 1; i < fewer_levels; ++i) {
        error = std::make_exception_ptr(exception_group(
            "level", {std::move(error), std::make_exception_ptr(numbered{i})}
        ));
    }
    const auto [odd, even] =
        anyio::to_exception_group(error).split_if([](const std::exception_ptr& leaf) {
            return number(leaf) % 2 == 1;
        });
    error = nullptr;
    EXPECT_EQ(odd->leaves().size(), std::size_t{fewer_levels / 2});
    EXPECT_EQ(even->leaves().size(), std::size_t{fewer_levels / 2});
    EXPECT_EQ(number(even->leaves().front()), 0);
}

TEST(
    exception_group_stress, groups_that_cause_each_other_are_destroyed_without_recursion
) {
    auto error = std::make_exception_ptr(std::runtime_error("first"));
    for (int i = 0; i < fewer_levels; ++i) {
        error = anyio::make_caused(
            anyio::task_failed(),
            std::make_exception_ptr(
                exception_group("level", std::vector{std::move(error)})
            )
        );
    }
    EXPECT_NE(exception_group("all", std::vector{error}).what(), nullptr);
    error = nullptr;
}

TEST(exception_group_stress, random_trees_obey_the_laws_of_splitting) {
    dice generator(20260101);
    for (int round = 0; round < 300; ++round) {
        int next = 0;
        const exception_group whole = tree(generator, next, 5);
        const int modulus = 2 + number_up_to(generator, 3);
        const auto predicate = [&](const std::exception_ptr& leaf) {
            return number(leaf) % modulus == 0;
        };
        const auto [matching, rest] = whole.split_if(predicate);

        // Every leaf is in exactly one half, and keeps its order.
        auto matched = numbers(matching);
        auto others = numbers(rest);
        EXPECT_TRUE(std::is_sorted(matched.begin(), matched.end()));
        EXPECT_TRUE(std::is_sorted(others.begin(), others.end()));
        std::vector<int> merged;
        std::merge(
            matched.begin(),
            matched.end(),
            others.begin(),
            others.end(),
            std::back_inserter(merged)
        );
        EXPECT_EQ(merged, numbers(whole));

        // Splitting again changes nothing.
        if (matching) {
            EXPECT_FALSE(matching->split_if(predicate).second);
            EXPECT_EQ(matching->message(), whole.message());
        }
        if (rest) {
            EXPECT_FALSE(rest->split_if(predicate).first);
            EXPECT_FALSE(rest->contains_if(predicate));
        }
    }
}
