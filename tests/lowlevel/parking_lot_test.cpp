// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/parking_lot.hpp>

#include "support/anyio_test.hpp"

#include <algorithm>
#include <deque>
#include <random>

using namespace anyio;
using namespace std::chrono_literals;
using lowlevel::parking_lot;
using ::testing::ElementsAre;

namespace {

/// Tasks that wait in lots, by number, each cancellable.
class parkers {
public:
    parkers(task_group& group, std::size_t count) : scopes_(count), group_(group) {}

    void park(std::size_t which, parking_lot& lot) {
        group_.start_soon(&parkers::wait, this, which, std::ref(lot));
    }

    void cancel(std::size_t which) { scopes_[which].cancel(); }

    /// In the order in which they went on.
    std::vector<std::size_t> woken;
    std::vector<std::size_t> cancelled;

private:
    task<> wait(std::size_t which, parking_lot& lot) {
        const bool finished =
            co_await with(scopes_[which], [&]() -> task<> { co_await lot.park(); });
        (finished ? woken : cancelled).push_back(which);
    }

    std::deque<cancel_scope> scopes_;
    task_group& group_;
};

template <class Act>
task<> with_parkers(std::size_t count, Act act) {
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        parkers tasks(tg, count);
        co_await act(tasks);
        co_await wait_all_tasks_blocked();  // so that they end before `tasks` does
    });
}

}  // namespace

ANYIO_TEST(parking_lot, wakes_tasks_in_the_order_in_which_they_came) {
    parking_lot lot;
    auto body = [&](parkers& tasks) -> task<> {
        for (std::size_t i = 0; i < 5; ++i)
            tasks.park(i, lot);
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(lot.unpark(), 1u);
        EXPECT_EQ(lot.unpark(2), 2u);
        EXPECT_TRUE(tasks.woken.empty()) << "nobody runs inside of unpark()";
        co_await wait_all_tasks_blocked();
        EXPECT_THAT(tasks.woken, ElementsAre(0, 1, 2));
        EXPECT_EQ(lot.unpark(parking_lot::all), 2u);
        EXPECT_EQ(lot.unpark(parking_lot::all), 0u);
        EXPECT_EQ(lot.unpark(), 0u);
        co_await wait_all_tasks_blocked();
        EXPECT_THAT(tasks.woken, ElementsAre(0, 1, 2, 3, 4));
    };
    co_await with_parkers(5, std::ref(body));
}

ANYIO_TEST(parking_lot, counts_its_tasks) {
    parking_lot lot;
    EXPECT_TRUE(lot.empty());
    EXPECT_EQ(lot.front(), nullptr);
    EXPECT_EQ(lot.unpark_first(), nullptr);
    auto body = [&](parkers& tasks) -> task<> {
        for (std::size_t i = 0; i < 3; ++i)
            tasks.park(i, lot);
        co_await wait_all_tasks_blocked();
        EXPECT_FALSE(lot.empty());
        EXPECT_EQ(lot.size(), 3u);
        EXPECT_EQ(lot.statistics(), lowlevel::parking_lot_statistics{3});
        const auto* const oldest = lot.front();
        EXPECT_EQ(lot.unpark_first(), oldest);
        EXPECT_EQ(lot.statistics().tasks_waiting, 2u);
        tasks.cancel(2);
        EXPECT_EQ(lot.statistics().tasks_waiting, 1u)
            << "a cancelled task leaves at once";
        EXPECT_EQ(lot.unpark(0), 0u);
        lot.unpark();
        EXPECT_TRUE(lot.empty());
    };
    co_await with_parkers(3, std::ref(body));
}

ANYIO_TEST(parking_lot, is_left_by_cancelled_tasks_wherever_they_stand) {
    for (std::size_t gone = 0; gone < 4; ++gone) {
        parking_lot lot;
        auto body = [&](parkers& tasks) -> task<> {
            for (std::size_t i = 0; i < 4; ++i)
                tasks.park(i, lot);
            co_await wait_all_tasks_blocked();
            tasks.cancel(gone);
            lot.unpark(parking_lot::all);
            co_await wait_all_tasks_blocked();
            EXPECT_THAT(tasks.cancelled, ElementsAre(gone));
            EXPECT_EQ(tasks.woken.size(), 3u);
            EXPECT_TRUE(std::ranges::is_sorted(tasks.woken));
        };
        co_await with_parkers(4, std::ref(body));
    }
}

ANYIO_TEST(
    parking_lot, wakes_normally_who_is_cancelled_after_the_unpark_in_the_same_turn
) {
    parking_lot lot;
    auto body = [&](parkers& tasks) -> task<> {
        tasks.park(0, lot);
        tasks.park(1, lot);
        co_await wait_all_tasks_blocked();
        lot.unpark();
        tasks.cancel(0);
        co_await wait_all_tasks_blocked();
        EXPECT_THAT(tasks.woken, ElementsAre(0));
        EXPECT_EQ(lot.size(), 1u);
        lot.unpark();
    };
    co_await with_parkers(2, std::ref(body));
}

ANYIO_TEST(
    parking_lot, wakes_the_next_one_if_the_first_was_cancelled_before_the_unpark
) {
    parking_lot lot;
    auto body = [&](parkers& tasks) -> task<> {
        tasks.park(0, lot);
        tasks.park(1, lot);
        co_await wait_all_tasks_blocked();
        tasks.cancel(0);
        EXPECT_EQ(lot.unpark(), 1u);
        co_await wait_all_tasks_blocked();
        EXPECT_THAT(tasks.woken, ElementsAre(1));
        EXPECT_THAT(tasks.cancelled, ElementsAre(0));
    };
    co_await with_parkers(2, std::ref(body));
}

ANYIO_TEST(parking_lot, moves_tasks_to_another_lot_in_order) {
    parking_lot first;
    parking_lot second;
    auto body = [&](parkers& tasks) -> task<> {
        tasks.park(9, second);
        co_await wait_all_tasks_blocked();
        for (std::size_t i = 0; i < 5; ++i)
            tasks.park(i, first);
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(first.repark(second, 3), 3u);
        EXPECT_EQ(first.size(), 2u);
        EXPECT_EQ(second.size(), 4u);
        EXPECT_TRUE(tasks.woken.empty());
        second.unpark(parking_lot::all);
        co_await wait_all_tasks_blocked();
        EXPECT_THAT(tasks.woken, ElementsAre(9, 0, 1, 2));
        EXPECT_EQ(first.repark(second, parking_lot::all), 2u);
        EXPECT_EQ(first.repark(second), 0u);
        EXPECT_TRUE(first.empty());
        second.unpark(parking_lot::all);
        co_await wait_all_tasks_blocked();
        EXPECT_THAT(tasks.woken, ElementsAre(9, 0, 1, 2, 3, 4));
    };
    co_await with_parkers(10, std::ref(body));
}

ANYIO_TEST(parking_lot, lets_a_moved_task_be_cancelled_in_the_lot_where_it_is_now) {
    parking_lot first;
    parking_lot second;
    auto body = [&](parkers& tasks) -> task<> {
        for (std::size_t i = 0; i < 3; ++i)
            tasks.park(i, first);
        co_await wait_all_tasks_blocked();
        first.repark(second, 2);
        tasks.cancel(0);
        EXPECT_EQ(first.size(), 1u);
        EXPECT_EQ(second.size(), 1u);
        tasks.cancel(2);
        EXPECT_EQ(first.size(), 0u);
        EXPECT_EQ(second.size(), 1u);
        second.unpark(parking_lot::all);
        co_await wait_all_tasks_blocked();
        EXPECT_THAT(tasks.woken, ElementsAre(1));
        EXPECT_THAT(tasks.cancelled, ElementsAre(0, 2));
    };
    co_await with_parkers(3, std::ref(body));
}

ANYIO_TEST(parking_lot, is_not_entered_by_a_cancelled_task) {
    parking_lot lot;
    co_await with(cancel_scope(), [&](cancel_scope& scope) -> task<> {
        scope.cancel();
        auto parked = co_await as_outcome(lot.park());
        EXPECT_TRUE(parked.is_cancelled());
        EXPECT_TRUE(lot.empty());
    });
}

ANYIO_TEST(parking_lot, agrees_with_a_simple_model) {
    for (unsigned seed = 0; seed < 50; ++seed) {
        constexpr std::size_t count = 60;
        parking_lot lots[2];
        auto body = [&](parkers& tasks) -> task<> {
            std::mt19937 random(seed);
            std::deque<std::size_t> model[2];
            std::vector<std::size_t> woken;
            std::size_t next = 0;
            while (next < count || !model[0].empty() || !model[1].empty()) {
                const std::size_t from = random() % 2;
                const std::size_t n = 1 + random() % 3;
                switch (random() % 6) {
                case 0:
                case 1:
                case 2:
                    if (next == count)
                        break;
                    tasks.park(next, lots[from]);
                    model[from].push_back(next++);
                    co_await wait_all_tasks_blocked();
                    break;
                case 3: {
                    const std::size_t moved = std::min(n, model[from].size());
                    EXPECT_EQ(lots[from].repark(lots[1 - from], n), moved);
                    for (std::size_t i = 0; i < moved; ++i) {
                        model[1 - from].push_back(model[from].front());
                        model[from].pop_front();
                    }
                    break;
                }
                case 4:
                    if (model[from].empty())
                        break;
                    {
                        const std::size_t at = random() % model[from].size();
                        tasks.cancel(model[from][at]);
                        model[from].erase(
                            model[from].begin() + static_cast<std::ptrdiff_t>(at)
                        );
                    }
                    break;
                default: {
                    const std::size_t expected = std::min(n, model[from].size());
                    EXPECT_EQ(lots[from].unpark(n), expected);
                    for (std::size_t i = 0; i < expected; ++i) {
                        woken.push_back(model[from].front());
                        model[from].pop_front();
                    }
                    break;
                }
                }
                EXPECT_EQ(lots[0].size(), model[0].size());
                EXPECT_EQ(lots[1].size(), model[1].size());
            }
            co_await wait_all_tasks_blocked();
            EXPECT_EQ(tasks.woken, woken) << "seed " << seed;
            EXPECT_EQ(tasks.woken.size() + tasks.cancelled.size(), count);
        };
        co_await with_parkers(count, std::ref(body));
    }
}

TEST(parking_lot_death, ends_the_program_if_it_goes_while_tasks_wait_in_it) {
    ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_DEATH(
        run([]() -> task<> {
            co_await with(create_task_group(), [](task_group& tg) -> task<> {
                parking_lot lot;
                tg.start_soon([&]() -> task<> { co_await lot.park(); });
                co_await lowlevel::checkpoint();
            });
        }),
        "destroyed while 1 task was waiting in it; let what they wait for outlive them"
    );
}

// --- events, which are lots with a flag -----------------------------------------------

ANYIO_TEST(event, wakes_its_waiters_in_the_order_in_which_they_came) {
    event ready;
    std::vector<int> woken;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int i = 0; i < 5; ++i) {
            tg.start_soon([&, i]() -> task<> {
                co_await ready.wait();
                woken.push_back(i);
            });
        }
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(ready.statistics().tasks_waiting, 5u);
        ready.set();
        EXPECT_TRUE(ready.is_set());
        EXPECT_EQ(ready.statistics().tasks_waiting, 0u);
        EXPECT_TRUE(woken.empty());
        ready.set();  // nothing more
    });
    EXPECT_THAT(woken, ElementsAre(0, 1, 2, 3, 4));
    co_await ready.wait();
}

ANYIO_TEST(event, set_before_the_cancel_of_the_same_turn_wins) {
    event ready;
    cancel_scope scope;
    bool received = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            received = co_await with(scope, [&]() -> task<> { co_await ready.wait(); });
        });
        co_await wait_all_tasks_blocked();
        ready.set();
        scope.cancel();
    });
    EXPECT_TRUE(received);
}

ANYIO_TEST(event, set_after_the_cancel_of_the_same_turn_is_not_received) {
    event ready;
    cancel_scope scope;
    bool received = true;
    bool other = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            received = co_await with(scope, [&]() -> task<> { co_await ready.wait(); });
        });
        tg.start_soon([&]() -> task<> {
            co_await ready.wait();
            other = true;
        });
        co_await wait_all_tasks_blocked();
        scope.cancel();
        ready.set();
    });
    EXPECT_FALSE(received);
    EXPECT_TRUE(other);
}
