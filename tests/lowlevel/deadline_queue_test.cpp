// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/timer.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

using anyio::never;
using anyio::time_point;
using anyio::lowlevel::deadline_queue;
using anyio::lowlevel::timer;
using anyio::lowlevel::timer_kind;

namespace {

struct entry : timer {
    entry() : timer(timer_kind::sleep) {}

    std::size_t number = 0;
};

std::deque<entry> make_entries(std::size_t count) {
    std::deque<entry> entries(count);
    for (std::size_t i = 0; i < count; ++i)
        entries[i].number = i;
    return entries;
}

time_point at(int nanoseconds) {
    return time_point(anyio::duration(nanoseconds));
}

}  // namespace

TEST(deadline_queue, is_empty_at_first) {
    deadline_queue queue;
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.size(), 0u);
    EXPECT_EQ(queue.earliest(), never);
    EXPECT_EQ(queue.pop_expired(never), nullptr);
}

TEST(deadline_queue, gives_timers_in_the_order_of_their_deadlines) {
    deadline_queue queue;
    auto entries = make_entries(100);
    for (int i = 0; i < 100; ++i)
        queue.arm(entries[static_cast<std::size_t>(i)], at(i * 37 % 100));
    EXPECT_EQ(queue.size(), 100u);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(queue.earliest(), at(i));
        timer* const popped = queue.pop_expired(at(99));
        ASSERT_NE(popped, nullptr);
        EXPECT_FALSE(popped->armed());
        const auto index = static_cast<entry*>(popped)->number;
        EXPECT_EQ(index * 37 % 100, static_cast<std::size_t>(i));
    }
    EXPECT_TRUE(queue.empty());
}

TEST(deadline_queue, gives_no_timer_before_its_deadline) {
    deadline_queue queue;
    entry e;
    queue.arm(e, at(10));
    EXPECT_TRUE(e.armed());
    EXPECT_EQ(queue.deadline(e), at(10));
    EXPECT_EQ(queue.pop_expired(at(9)), nullptr);
    EXPECT_TRUE(e.armed());
    EXPECT_EQ(queue.pop_expired(at(10)), &e) << "a deadline is the moment itself";
}

TEST(deadline_queue, forgets_a_disarmed_timer_which_may_be_armed_again) {
    deadline_queue queue;
    entry e;
    queue.disarm(e);  // not armed: nothing happens
    queue.arm(e, at(10));
    queue.disarm(e);
    EXPECT_FALSE(e.armed());
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.pop_expired(never), nullptr);
    queue.arm(e, at(20));
    EXPECT_EQ(queue.pop_expired(at(20)), &e);
}

TEST(deadline_queue, moves_a_timer_both_ways) {
    deadline_queue queue;
    auto entries = make_entries(9);
    for (int i = 0; i < 9; ++i)
        queue.arm(entries[static_cast<std::size_t>(i)], at(10 + i));
    queue.move(entries[8], at(1));
    EXPECT_EQ(queue.earliest(), at(1));
    queue.move(entries[8], at(100));
    EXPECT_EQ(queue.earliest(), at(10));
    queue.move(entries[0], at(10));
    EXPECT_EQ(queue.pop_expired(never), &entries[0]);
    EXPECT_EQ(queue.deadline(entries[8]), at(100));
}

TEST(deadline_queue, takes_the_extreme_moments) {
    deadline_queue queue;
    entry first;
    entry last;
    queue.arm(last, never);
    queue.arm(first, time_point::min());
    EXPECT_EQ(queue.earliest(), time_point::min());
    EXPECT_EQ(queue.pop_expired(time_point::min()), &first);
    EXPECT_EQ(queue.earliest(), never);
    EXPECT_EQ(queue.pop_expired(at(0)), nullptr);
    queue.disarm(last);
}

// Random operations on the queue and on a list that is searched from end to end.
TEST(deadline_queue, agrees_with_a_simple_model) {
    constexpr std::size_t timers = 200;
    for (unsigned seed = 0; seed < 20; ++seed) {
        std::mt19937 random(seed);
        const auto below = [&](unsigned n) { return static_cast<int>(random() % n); };
        deadline_queue queue;
        auto entries = make_entries(timers);
        std::vector<time_point> model(timers, never);  // never: not armed
        std::vector<bool> armed(timers, false);
        const unsigned range = seed % 2 ? 50 : 1'000'000;  // many equal, or few
        for (int step = 0; step < 5'000; ++step) {
            const auto i = static_cast<std::size_t>(below(timers));
            const time_point when = at(below(range));
            switch (below(5)) {
            case 0:
            case 1:
                if (!armed[i]) {
                    queue.arm(entries[i], when);
                    armed[i] = true;
                    model[i] = when;
                } else {
                    queue.move(entries[i], when);
                    model[i] = when;
                }
                break;
            case 2:
                queue.disarm(entries[i]);
                armed[i] = false;
                model[i] = never;
                break;
            case 3: {
                const time_point least = *std::ranges::min_element(model);
                timer* const popped = queue.pop_expired(when);
                ASSERT_EQ(popped != nullptr, least <= when);
                if (!popped)
                    break;
                const std::size_t index = static_cast<entry*>(popped)->number;
                ASSERT_TRUE(armed[index]);
                ASSERT_EQ(model[index], least);
                armed[index] = false;
                model[index] = never;
                break;
            }
            default:
                ASSERT_EQ(entries[i].armed(), armed[i]);
                ASSERT_TRUE(!armed[i] || queue.deadline(entries[i]) == model[i]);
                break;
            }
            ASSERT_EQ(queue.earliest(), *std::ranges::min_element(model));
            ASSERT_EQ(
                queue.size(), static_cast<std::size_t>(std::ranges::count(armed, true))
            );
        }
        for (std::size_t i = 0; i < timers; ++i)
            queue.disarm(entries[i]);
    }
}
