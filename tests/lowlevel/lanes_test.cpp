// SPDX-License-Identifier: MIT
#include "lowlevel/lanes.hpp"

#include <gtest/gtest.h>

#include <array>

using namespace anyio::lowlevel;

namespace {

constexpr std::uint64_t long_step = batch_meter::long_ticks + 1;
constexpr std::uint64_t short_step = 10;

/// Ends `count` batches that take `ticks` each.
void end_batches(
    batch_meter& meter, std::uint64_t& now, int count, std::uint64_t ticks
) {
    for (int i = 0; i < count; ++i)
        meter.end(now += ticks);
}

}  // namespace

TEST(lane, gives_its_tasks_in_the_order_in_which_they_came) {
    std::array<ready_node, 4> nodes{};
    nodes[0].next_ready = &nodes[1];
    nodes[2].next_ready = &nodes[3];
    lane queue;
    queue.append(nodes[0], nodes[1]);
    queue.append(nodes[2], nodes[3]);
    for (ready_node& expected : nodes)
        EXPECT_EQ(queue.pop(), &expected);
    EXPECT_EQ(queue.pop(), nullptr);
}

TEST(lanes, the_next_one_is_that_which_has_had_least) {
    std::array<ready_node, 2> nodes{};
    lanes all;
    EXPECT_EQ(all.next(false), nullptr);
    EXPECT_EQ(all.next(true), &all.ordinary);
    all.due.append(nodes[0], nodes[0]);
    all.arrived.append(nodes[1], nodes[1]);
    EXPECT_EQ(all.next(true), &all.due);
    all.charge(all.due, 10);
    EXPECT_EQ(all.next(true), &all.arrived);
    all.charge(all.arrived, 30);  // had 20
    EXPECT_EQ(all.next(true), &all.ordinary);
    all.charge(all.ordinary, 60);  // had 30
    EXPECT_EQ(all.next(true), &all.due);
}

TEST(lanes, no_lane_saves_up_time_in_which_it_did_not_need_it) {
    ready_node node{};
    lanes all;
    const std::uint64_t hour = noticeable_ticks * 1'000'000;
    all.charge(all.arrived, hour);
    all.arrived.append(node, node);
    const std::uint64_t claim = all.arrived.used - all.ordinary.used;
    EXPECT_LE(claim, 16 * noticeable_ticks);
    all.charge(all.ordinary, hour + claim + 1);
    EXPECT_EQ(all.next(true), &all.arrived) << "it has waited for long enough";
}

TEST(batch_meter, a_long_step_is_measured_alone_and_so_is_the_next) {
    batch_meter meter;
    std::uint64_t now = 0;
    end_batches(meter, now, 10'000, short_step);
    EXPECT_EQ(meter.size(), batch_meter::most_steps);
    meter.end(now += long_step);
    EXPECT_EQ(meter.size(), 1);
    meter.end(now += long_step);
    EXPECT_EQ(meter.size(), 1);
}

TEST(batch_meter, a_few_short_steps_between_long_ones_are_no_promise) {
    batch_meter meter;
    std::uint64_t now = 0;
    for (int round = 0; round < 100; ++round) {
        end_batches(meter, now, 31, short_step);
        meter.end(now += long_step);
        EXPECT_EQ(meter.size(), 1);
    }
}

TEST(batch_meter, batches_stay_small_while_somebody_outside_may_wait) {
    batch_meter meter;
    std::uint64_t now = 0;
    end_batches(meter, now, 10'000, short_step);
    meter.set_longest(batch_meter::most_steps_watched);
    EXPECT_EQ(meter.size(), batch_meter::most_steps_watched);
    end_batches(meter, now, 10'000, short_step);
    EXPECT_EQ(meter.size(), batch_meter::most_steps_watched);
}

TEST(batch_meter, after_a_wait_nothing_is_known_of_what_runs_next) {
    batch_meter meter;
    std::uint64_t now = 0;
    end_batches(meter, now, 10'000, short_step);
    meter.restart(now);
    EXPECT_EQ(meter.size(), 1);
}

TEST(batch_meter, a_step_that_has_taken_long_gets_no_more) {
    batch_meter meter;
    meter.restart(0);
    meter.begin_extensions();
    int granted = 0;
    for (std::uint64_t now = short_step; now < 8 * short_step; now += short_step)
        granted += meter.extend(now);
    EXPECT_GT(granted, 100) << "while it is short, more and more";
    EXPECT_EQ(meter.extend(long_step), 0);
}

TEST(look_meter, a_look_is_due_soon_if_those_it_woke_have_run_and_in_any_case_later) {
    look_meter looks;
    looks.looked(0, 100, 3);
    EXPECT_TRUE(looks.has_just_looked(look_meter::soon_ticks - 1));
    EXPECT_FALSE(looks.is_due(look_meter::soon_ticks - 1, 1000));
    EXPECT_FALSE(looks.is_due(look_meter::soon_ticks, 102));
    EXPECT_TRUE(looks.is_due(look_meter::soon_ticks, 103));
    EXPECT_TRUE(looks.is_due(noticeable_ticks, 100));
}
