// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/timer.hpp>

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <set>
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

namespace {

/// What a queue of deadlines is by definition.
class simple_queue {
public:
    explicit simple_queue(std::size_t timers)
        : deadline_(timers, never), armed_(timers) {}

    [[nodiscard]] bool armed(std::size_t i) const { return armed_[i]; }

    [[nodiscard]] time_point deadline(std::size_t i) const { return deadline_[i]; }

    [[nodiscard]] std::size_t size() const { return all_.size(); }

    [[nodiscard]] time_point earliest() const {
        return all_.empty() ? never : *all_.begin();
    }

    void arm(std::size_t i, time_point when) {
        disarm(i);
        armed_[i] = true;
        deadline_[i] = when;
        all_.insert(when);
    }

    void disarm(std::size_t i) {
        if (armed_[i])
            all_.erase(all_.find(deadline_[i]));
        armed_[i] = false;
    }

private:
    std::multiset<time_point> all_;
    std::vector<time_point> deadline_;
    std::vector<bool> armed_;
};

}  // namespace

TEST(deadline_queue, agrees_with_a_simple_model) {
    constexpr std::size_t timers = 200;
    for (unsigned seed = 0; seed < 20; ++seed) {
        std::mt19937 random(seed);
        deadline_queue queue;
        auto entries = make_entries(timers);
        simple_queue model(timers);
        const unsigned range = seed % 2 ? 50 : 1'000'000;  // many equal, or few
        for (int step = 0; step < 5'000; ++step) {
            const std::size_t i = random() % timers;
            const time_point when = at(static_cast<int>(random() % range));
            switch (random() % 4) {
            case 0:
            case 1:
                if (model.armed(i))
                    queue.move(entries[i], when);
                else
                    queue.arm(entries[i], when);
                model.arm(i, when);
                break;
            case 2:
                queue.disarm(entries[i]);
                model.disarm(i);
                break;
            default: {
                timer* const popped = queue.pop_expired(when);
                const bool expected = model.earliest() <= when;
                ASSERT_EQ(popped != nullptr, expected);
                if (!popped)
                    break;
                const std::size_t number = static_cast<entry*>(popped)->number;
                ASSERT_TRUE(model.armed(number));
                ASSERT_EQ(model.deadline(number), model.earliest());
                model.disarm(number);
                break;
            }
            }
            ASSERT_EQ(queue.earliest(), model.earliest());
            ASSERT_EQ(queue.size(), model.size());
            ASSERT_EQ(entries[i].armed(), model.armed(i));
            ASSERT_TRUE(
                !model.armed(i) || queue.deadline(entries[i]) == model.deadline(i)
            );
        }
        for (std::size_t i = 0; i < timers; ++i)
            queue.disarm(entries[i]);
    }
}
