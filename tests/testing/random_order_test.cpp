// SPDX-License-Identifier: MIT
#include <anyio/testing/random_order.hpp>

#include "support/anyio_test.hpp"

#include <algorithm>
#include <set>
#include <vector>

using namespace anyio;
using anyio::testing::random_order;

namespace {

// Each of eight tasks writes its number once in each of three passes.
std::vector<int> log_of_a_run(std::uint64_t seed) {
    std::vector<int> log;
    anyio::testing::virtual_clock clock;
    random_order order(seed);
    run({.clock = &clock, .chooser = &order}, [&]() -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) {
            for (int number = 0; number < 8; ++number)
                tg.start_soon([&log, number]() -> task<> {
                    for (int pass = 0; pass < 3; ++pass) {
                        log.push_back(number);
                        co_await lowlevel::checkpoint();
                    }
                });
        });
    });
    return log;
}

}  // namespace

TEST(random_order, is_the_same_for_the_same_seed) {
    EXPECT_EQ(log_of_a_run(42), log_of_a_run(42));
}

TEST(random_order, is_another_one_for_another_seed) {
    std::set<std::vector<int>> logs;
    for (std::uint64_t seed = 0; seed < 20; ++seed)
        logs.insert(log_of_a_run(seed));
    EXPECT_EQ(logs.size(), 20u);
}

TEST(random_order, lets_each_task_run_once_in_each_pass) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const std::vector<int> log = log_of_a_run(seed);
        for (int pass = 0; pass < 3; ++pass) {
            std::vector<int> numbers(
                log.begin() + 8 * pass, log.begin() + 8 * (pass + 1)
            );
            std::ranges::sort(numbers);
            EXPECT_THAT(numbers, ::testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
        }
    }
}
