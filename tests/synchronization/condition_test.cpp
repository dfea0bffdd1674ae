// SPDX-License-Identifier: MIT
#include <anyio/synchronization/condition.hpp>

#include "support/anyio_test.hpp"

#include <deque>
#include <memory>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

/// Waits for one notification, and notes its number.
task<> waiter(condition& changed, std::vector<int>& woken, int number) {
    const auto held = co_await changed.hold();
    co_await changed.wait();
    EXPECT_EQ(changed.statistics().lock_statistics.owner, get_current_task());
    woken.push_back(number);
}

task<> notify(condition& changed, std::size_t count = 1) {
    const auto held = co_await changed.hold();
    changed.notify(count);
}

}  // namespace

ANYIO_TEST(condition, notify_wakes_those_who_have_waited_longest) {
    condition changed;
    std::vector<int> woken;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int i = 0; i < 5; ++i)
            tg.start_soon(waiter, std::ref(changed), std::ref(woken), i);
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(changed.statistics().tasks_waiting, 5u);
        EXPECT_FALSE(changed.locked()) << "waiting releases the lock";
        co_await notify(changed);
        co_await wait_all_tasks_blocked();
        EXPECT_THAT(woken, ElementsAre(0));
        co_await notify(changed, 2);
        co_await wait_all_tasks_blocked();
        EXPECT_THAT(woken, ElementsAre(0, 1, 2));
        co_await notify(changed, 0);
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(woken.size(), 3u);
        {
            const auto held = co_await changed.hold();
            changed.notify_all();
            changed.notify_all();  // nobody waits any more
            EXPECT_EQ(changed.statistics().tasks_waiting, 0u);
            EXPECT_EQ(changed.statistics().lock_statistics.tasks_waiting, 2u);
        }
        co_await wait_all_tasks_blocked();
        EXPECT_THAT(woken, ElementsAre(0, 1, 2, 3, 4));
    });
    EXPECT_FALSE(changed.locked());
}

ANYIO_TEST(condition, forwards_to_its_lock) {
    condition changed;
    EXPECT_FALSE(changed.locked());
    co_await changed.acquire();
    EXPECT_TRUE(changed.locked());
    changed.release();
    changed.acquire_nowait();
    EXPECT_THROW((void)changed.try_acquire(), usage_error);
    changed.release();
    EXPECT_TRUE(changed.try_acquire());
    changed.release();
    EXPECT_EQ(changed.statistics(), condition_statistics());
}

ANYIO_TEST(condition, may_share_a_lock_with_others) {
    lock shared;
    condition not_empty(shared);
    condition not_full(shared);
    std::deque<int> queue;
    std::vector<int> got;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([&]() -> task<> {
            for (int i = 0; i < 10; ++i) {
                const auto held = co_await not_full.hold();
                co_await not_full.wait_for([&] { return queue.size() < 3; });
                queue.push_back(i);
                not_empty.notify();
            }
        });
        tg.start_soon([&]() -> task<> {
            for (int i = 0; i < 10; ++i) {
                const auto held = co_await not_empty.hold();
                co_await not_empty.wait_for([&] { return !queue.empty(); });
                got.push_back(queue.front());
                queue.pop_front();
                not_full.notify();
            }
        });
    });
    EXPECT_THAT(got, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
    EXPECT_FALSE(shared.locked());
}

ANYIO_TEST(condition, needs_its_lock) {
    condition changed;
    EXPECT_EQ(
        message_thrown_by<usage_error>([&] { changed.notify(); }),
        "condition::notify: this task does not have the lock; hold() it first"
    );
    EXPECT_THROW(changed.notify_all(), usage_error);
    auto waited = co_await as_outcome(changed.wait());
    EXPECT_THAT(
        message_of(waited.error()), HasSubstr("condition::wait: this task does")
    );
    auto ended = co_await as_outcome(changed.wait_for([] { return true; }));
    EXPECT_TRUE(is_error<usage_error>(ended.error()));
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        const auto held = co_await changed.hold();
        tg.start_soon([&]() -> task<> {
            EXPECT_THROW(changed.notify(), usage_error);
            co_return;
        });
        co_await wait_all_tasks_blocked();
    });
}

// --- wait_for

ANYIO_TEST(condition, wait_for_returns_what_the_predicate_returned) {
    condition changed;
    std::unique_ptr<int> value;
    int asked = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            const auto held = co_await changed.hold();
            const auto got = co_await changed.wait_for([&] {
                ++asked;
                return value ? std::exchange(value, nullptr) : nullptr;
            });
            EXPECT_EQ(*got, 7);
            EXPECT_EQ(asked, 3);
        });
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(asked, 1);
        co_await notify(changed);
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(asked, 2);
        EXPECT_EQ(changed.statistics().tasks_waiting, 1u);
        EXPECT_FALSE(changed.locked());
        value = std::make_unique<int>(7);
        co_await notify(changed);
    });
}

ANYIO_TEST(condition, wait_for_does_not_wait_if_the_predicate_holds) {
    condition changed;
    const auto held = co_await changed.hold();
    const bool answer = co_await changed.wait_for([] { return true; });
    EXPECT_TRUE(answer);
    const auto named = [] { return 8; };
    const int number = co_await changed.wait_for(named);
    EXPECT_EQ(number, 8);
    EXPECT_TRUE(changed.locked());
}

ANYIO_TEST(condition, wait_for_passes_on_what_the_predicate_throws) {
    condition changed;
    bool fails = true;
    auto predicate = [&]() -> bool {
        if (fails)
            throw std::runtime_error("no idea");
        return false;
    };
    {
        const auto held = co_await changed.hold();
        auto ended = co_await as_outcome(changed.wait_for(predicate));
        EXPECT_EQ(message_of(ended.error()), "no idea");
        EXPECT_TRUE(changed.locked());
    }
    fails = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            const auto held = co_await changed.hold();
            auto ended = co_await as_outcome(changed.wait_for(predicate));
            EXPECT_EQ(message_of(ended.error()), "no idea");
            EXPECT_EQ(changed.statistics().lock_statistics.owner, get_current_task());
        });
        co_await wait_all_tasks_blocked();
        fails = true;
        co_await notify(changed);
    });
    EXPECT_FALSE(changed.locked());
}

ANYIO_TEST(condition, wait_for_may_be_cut_short) {
    condition changed;
    int asked = 0;
    const auto held = co_await changed.hold();
    const auto answer = co_await move_on_after(1s, changed.wait_for([&] {
        ++asked;
        return false;
    }));
    EXPECT_FALSE(answer.has_value());
    EXPECT_EQ(asked, 1);
    EXPECT_EQ(changed.statistics().lock_statistics.owner, get_current_task());
    auto late =
        co_await as_outcome(fail_after(1s, changed.wait_for([] { return false; })));
    EXPECT_TRUE(is_error<timeout_error>(late.error()));
    EXPECT_EQ(changed.statistics().lock_statistics.owner, get_current_task());
}

ANYIO_TEST(condition, wait_for_that_is_cancelled_between_two_questions_has_the_lock) {
    condition changed;
    int asked = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto asking = tg.create_task([&]() -> task<> {
            const auto held = co_await changed.hold();
            co_await changed.wait_for([&] {
                ++asked;
                return false;
            });
        });
        co_await wait_all_tasks_blocked();
        {
            const auto held = co_await changed.hold();
            changed.notify();
            asking.cancel();  // it has the notification, and asks once more
        }
        co_await asking.wait();
        EXPECT_EQ(asking.status(), task_handle_status::cancelled);
        EXPECT_EQ(asked, 2);
        EXPECT_FALSE(changed.locked());
        EXPECT_EQ(changed.statistics().tasks_waiting, 0u);
    });
}

// --- cancellation

ANYIO_TEST(condition, wait_that_is_cancelled_has_the_lock_when_it_unwinds) {
    condition changed;
    bool mine = false;
    auto ask = [&](condition& c) -> task<> {
        const auto held = co_await c.hold();
        struct looks_when_it_goes {
            condition& c;
            bool& mine;

            ~looks_when_it_goes() {
                mine = c.statistics().lock_statistics.owner == get_current_task();
            }
        };
        const looks_when_it_goes look{c, mine};
        co_await c.wait();
    };
    const bool in_time = co_await move_on_after(1s, ask(changed));
    EXPECT_FALSE(in_time);
    EXPECT_TRUE(mine);
    EXPECT_FALSE(changed.locked());
}

ANYIO_TEST(condition, wait_that_is_cancelled_queues_up_for_the_lock) {
    condition changed;
    std::vector<int> woken;
    std::vector<std::string> order;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto doomed = tg.create_task([&]() -> task<> {
            co_await try_([&]() -> task<> {
                co_await waiter(changed, woken, 1);
            }).on_cancel([&] { order.push_back("unwound"); });
        });
        co_await wait_all_tasks_blocked();
        co_await changed.acquire();
        tg.start_soon([&]() -> task<> {
            const auto held = co_await changed.hold();
            order.push_back("before it");
            co_await sleep(1s);
        });
        co_await wait_all_tasks_blocked();
        doomed.cancel();
        EXPECT_EQ(changed.statistics().tasks_waiting, 0u);
        EXPECT_EQ(changed.statistics().lock_statistics.tasks_waiting, 2u);
        order.push_back("release");
        changed.release();
        co_await doomed.wait();
    });
    EXPECT_THAT(order, ElementsAre("release", "before it", "unwound"));
    EXPECT_TRUE(woken.empty());
    EXPECT_FALSE(changed.locked());
}

// anyio 4.13: a waiter that was notified and cancelled kept the notification for itself.
ANYIO_TEST(condition, notification_of_a_cancelled_waiter_is_not_swallowed) {
    condition changed;
    std::vector<int> woken;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto doomed = tg.create_task(waiter, std::ref(changed), std::ref(woken), 1);
        tg.start_soon(waiter, std::ref(changed), std::ref(woken), 2);
        co_await wait_all_tasks_blocked();
        const auto held = co_await changed.hold();
        doomed.cancel();  // first the cancel: the notification is the other's
        changed.notify();
    });
    EXPECT_THAT(woken, ElementsAre(2));
}

ANYIO_TEST(condition, notification_that_came_before_the_cancel_is_received) {
    condition changed;
    std::vector<int> woken;
    int jobs = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto doomed = tg.create_task([&]() -> task<> {
            const auto held = co_await changed.hold();
            co_await changed.wait();
            --jobs;  // it has the notification, so the job is its
            co_await lowlevel::checkpoint();
            ADD_FAILURE();
        });
        tg.start_soon(waiter, std::ref(changed), std::ref(woken), 2);
        co_await wait_all_tasks_blocked();
        {
            const auto held = co_await changed.hold();
            ++jobs;
            changed.notify();
            doomed.cancel();
        }
        co_await doomed.wait();
        EXPECT_EQ(jobs, 0);
        EXPECT_TRUE(woken.empty());
        co_await notify(changed);
    });
    EXPECT_THAT(woken, ElementsAre(2));
}

ANYIO_TEST(condition, wait_in_a_cancelled_scope_keeps_the_lock) {
    condition changed;
    cancel_scope scope;
    co_await changed.acquire();
    co_await with(scope, [&]() -> task<> {
        scope.cancel();
        co_await changed.wait();
        ADD_FAILURE();
    });
    EXPECT_EQ(changed.statistics().lock_statistics.owner, get_current_task());
    changed.release();
}

ANYIO_TEST(condition, many_waiters_may_be_cancelled_at_once) {
    condition changed;
    std::vector<int> woken;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int i = 0; i < 20; ++i)
            tg.start_soon(waiter, std::ref(changed), std::ref(woken), i);
        co_await wait_all_tasks_blocked();
        tg.cancel();
    });
    EXPECT_TRUE(woken.empty());
    EXPECT_FALSE(changed.locked());
}

// --- the owner of the lock ends

ANYIO_TEST(condition, whose_lock_breaks_throws_in_those_who_were_notified) {
    condition changed;
    std::string said;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([&]() -> task<> {
            const auto held = co_await changed.hold();
            auto ended = co_await as_outcome(changed.wait());
            said = message_of(ended.error());
        });
        tg.start_soon([&]() -> task<> {
            co_await changed.acquire();
            changed.notify();
        });
    });
    EXPECT_THAT(said, HasSubstr("has ended without having released the lock"));
}

ANYIO_TEST(condition, whose_lock_breaks_lets_cancelled_waiters_unwind) {
    for (const bool cancel_first : {true, false}) {
        condition changed;
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            auto doomed = tg.create_task([&]() -> task<> {
                const auto held = co_await changed.hold();
                co_await changed.wait();
                ADD_FAILURE();
            });
            tg.start_soon([&]() -> task<> {
                co_await changed.acquire();
                co_await lowlevel::checkpoint();
                if (cancel_first)
                    doomed.cancel();
            });
            co_await wait_all_tasks_blocked();
            doomed.cancel();
        });
        EXPECT_THROW((void)changed.try_acquire(), broken_resource_error);
    }
}

TEST(condition, waits_are_seen_in_the_deadlock_report) {
    std::string report;
    try {
        run([]() -> task<> {
            condition changed;
            const auto held = co_await changed.hold();
            co_await changed.wait();
        });
    } catch (const deadlock_error& e) {
        report = e.what();
    }
    EXPECT_THAT(report, HasSubstr("waiting in condition::wait, for a notification"));
}
