// SPDX-License-Identifier: MIT
#include <anyio/testing/sequencer.hpp>

#include "support/anyio_test.hpp"

#include <vector>

using namespace anyio;
using namespace std::chrono_literals;
using anyio::testing::sequencer;
using anyio::testing::sequencer_turn;
using ::testing::ElementsAre;

ANYIO_TEST(sequencer, runs_pieces_of_several_tasks_in_the_order_of_their_numbers) {
    std::vector<int> log;
    sequencer order;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([&]() -> task<> {
            {
                auto turn = co_await order(1);
                log.push_back(1);
            }
            auto turn = co_await order(3);
            log.push_back(3);
        });
        tg.start_soon([&]() -> task<> {
            co_await with(order(2), [&](sequencer_turn&) { log.push_back(2); });
        });
        tg.start_soon([&]() -> task<> {
            auto turn = co_await order(0);
            co_await sleep(1s);
            log.push_back(0);
        });
    });
    EXPECT_THAT(log, ElementsAre(0, 1, 2, 3));
}

ANYIO_TEST(sequencer, refuses_a_number_that_was_used) {
    sequencer order;
    {
        auto turn = co_await order(0);
    }
    const auto again = co_await as_outcome(order(0));
    EXPECT_EQ(
        message_of(again.error()),
        "sequencer: number 0 was used before; each has one turn"
    );
}

ANYIO_TEST(sequencer, refuses_a_number_whose_turn_it_is) {
    sequencer order;
    auto turn = co_await order(0);
    const auto second = co_await as_outcome(order(0));
    EXPECT_TRUE(is_error<usage_error>(second.error()));
}

ANYIO_TEST(sequencer, refuses_a_number_that_somebody_waits_for) {
    sequencer order;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { auto turn = co_await order(1); });
        co_await wait_all_tasks_blocked();
        const auto second = co_await as_outcome(order(1));
        EXPECT_TRUE(is_error<usage_error>(second.error()));
        auto turn = co_await order(0);
    });
}

ANYIO_TEST(sequencer, is_broken_for_all_when_one_that_waits_is_cancelled) {
    sequencer order;
    outcome<sequencer_turn> later;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { later = co_await as_outcome(order(5)); });
        const bool in_time = co_await with(move_on_after(1s), [&]() -> task<> {
            auto turn = co_await order(1);
        });
        EXPECT_FALSE(in_time);
    });
    EXPECT_TRUE(is_error<broken_resource_error>(later.error()));
    const auto next = co_await as_outcome(order(0));
    EXPECT_TRUE(is_error<broken_resource_error>(next.error()));
}

ANYIO_TEST(sequencer, passes_a_turn_on_that_a_cancelled_task_had) {
    sequencer order;
    bool ran = false;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([&]() -> task<> {
            co_await with(move_on_after(1s), [&]() -> task<> {
                auto turn = co_await order(0);
                co_await sleep_forever();
            });
        });
        tg.start_soon([&]() -> task<> {
            auto turn = co_await order(1);
            ran = true;
        });
    });
    EXPECT_TRUE(ran);
}
