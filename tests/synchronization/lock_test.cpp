// SPDX-License-Identifier: MIT
#include <anyio/synchronization/lock.hpp>

#include "support/anyio_test.hpp"

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

/// Takes the lock, notes its number, keeps the lock for a second.
task<> user(lock& guarded, std::vector<int>& order, int number) {
    const auto held = co_await guarded.hold();
    order.push_back(number);
    co_await sleep(1s);
}

}  // namespace

ANYIO_TEST(lock, is_had_by_one_task_at_a_time_in_the_order_in_which_they_came) {
    lock guarded;
    std::vector<int> order;
    const auto start = current_time();
    co_await with(create_task_group(), [&](task_group& tg) {
        for (int i = 0; i < 5; ++i)
            tg.start_soon(user, std::ref(guarded), std::ref(order), i);
    });
    EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4));
    EXPECT_EQ(current_time() - start, 5s);
    EXPECT_FALSE(guarded.locked());
}

ANYIO_TEST(lock, is_released_when_what_hold_returned_goes) {
    lock guarded;
    {
        const auto held = co_await guarded.hold();
        EXPECT_TRUE(guarded.locked());
    }
    EXPECT_FALSE(guarded.locked());
}

ANYIO_TEST(lock, guard_may_be_moved_and_may_release_early) {
    lock guarded;
    auto held = co_await guarded.hold();
    auto moved = std::move(held);
    held.release();  // has nothing
    EXPECT_TRUE(guarded.locked());
    moved.release();
    EXPECT_FALSE(guarded.locked());
    moved.release();
    moved = co_await guarded.hold();
    EXPECT_TRUE(guarded.locked());
}

ANYIO_TEST(lock, is_released_when_the_task_fails_or_is_cancelled) {
    lock guarded;
    auto failing = [&]() -> task<> {
        const auto held = co_await guarded.hold();
        throw std::runtime_error("oops");
    };
    auto failed = co_await as_outcome(failing());
    EXPECT_TRUE(failed.has_error());
    EXPECT_FALSE(guarded.locked());
    std::vector<int> order;
    const bool in_time = co_await move_on_after(500ms, user(guarded, order, 1));
    EXPECT_FALSE(in_time);
    EXPECT_FALSE(guarded.locked());
}

ANYIO_TEST(lock, acquire_and_release_are_the_halves) {
    lock guarded;
    co_await guarded.acquire();
    EXPECT_TRUE(guarded.locked());
    guarded.release();
    EXPECT_FALSE(guarded.locked());
    guarded.acquire_nowait();
    EXPECT_TRUE(guarded.locked());
    guarded.release();
    EXPECT_TRUE(guarded.try_acquire());
    guarded.release();
}

ANYIO_TEST(lock, of_another_task_is_not_taken_nowait) {
    lock guarded;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        const auto held = co_await guarded.hold();
        tg.start_soon([&]() -> task<> {
            EXPECT_FALSE(guarded.try_acquire());
            EXPECT_EQ(
                message_thrown_by<would_block>([&] { guarded.acquire_nowait(); }),
                "lock::acquire_nowait: another task has the lock"
            );
            EXPECT_EQ(
                message_thrown_by<usage_error>([&] { guarded.release(); }),
                "lock::release: this task does not have the lock"
            );
            co_return;
        });
        co_await wait_all_tasks_blocked();
        EXPECT_TRUE(guarded.locked());
    });
}

// anyio #798: it used to wait for itself.
ANYIO_TEST(lock, acquired_twice_by_one_task_throws_instead_of_hanging) {
    lock guarded;
    const auto held = co_await guarded.hold();
    auto again = co_await as_outcome(guarded.acquire());
    EXPECT_TRUE(is_error<usage_error>(again.error()));
    EXPECT_THAT(message_of(again.error()), HasSubstr("a lock is not recursive"));
    EXPECT_THROW(guarded.acquire_nowait(), usage_error);
    EXPECT_THROW((void)guarded.try_acquire(), usage_error);
    EXPECT_TRUE(guarded.locked());
}

ANYIO_TEST(lock, that_is_free_cannot_be_released) {
    lock guarded;
    EXPECT_THROW(guarded.release(), usage_error);
    co_return;
}

TEST(lock, needs_a_task) {
    lock guarded;
    EXPECT_THROW((void)guarded.try_acquire(), no_event_loop_error);
    EXPECT_THROW(guarded.release(), usage_error);
    EXPECT_FALSE(guarded.locked());
}

ANYIO_TEST(lock, of_a_parent_is_not_its_childs) {
    lock guarded;
    const auto held = co_await guarded.hold();
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([&]() -> task<> {
            EXPECT_FALSE(guarded.try_acquire());
            EXPECT_THROW(guarded.release(), usage_error);
            co_return;
        });
    });
}

ANYIO_TEST(lock, is_handed_over_at_once_so_that_nobody_overtakes) {
    lock guarded;
    std::vector<int> order;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        co_await guarded.acquire();
        tg.start_soon({.name = "next"}, user, std::ref(guarded), std::ref(order), 1);
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(guarded.statistics().tasks_waiting, 1u);
        guarded.release();
        const auto now = guarded.statistics();
        EXPECT_TRUE(now.locked);
        EXPECT_EQ(now.tasks_waiting, 0u);
        EXPECT_TRUE(now.owner.has_value());
        if (now.owner) {
            EXPECT_EQ(now.owner->name(), "next");
        }
        EXPECT_FALSE(guarded.try_acquire());
        EXPECT_TRUE(order.empty());
        auto held = co_await guarded.hold();
        EXPECT_THAT(order, ElementsAre(1));
    });
}

ANYIO_TEST(lock, statistics_know_owner_and_waiters) {
    lock guarded;
    EXPECT_EQ(guarded.statistics(), lock_statistics());
    const auto held = co_await guarded.hold();
    const auto now = guarded.statistics();
    EXPECT_TRUE(now.locked);
    EXPECT_EQ(now.owner, get_current_task());
    EXPECT_EQ(now.tasks_waiting, 0u);
}

ANYIO_TEST(lock, free_in_a_cancelled_scope_is_not_taken) {
    lock guarded;
    cancel_scope scope;
    co_await with(scope, [&]() -> task<> {
        scope.cancel();
        const auto held = co_await guarded.hold();
        ADD_FAILURE();
    });
    EXPECT_FALSE(guarded.locked());
}

ANYIO_TEST(lock, that_is_free_lets_others_run_now_and_then) {
    lock guarded;
    bool other_ran = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            other_ran = true;
            co_return;
        });
        for (int i = 0; i < 10'000 && !other_ran; ++i)
            const auto held = co_await guarded.hold();
    });
    EXPECT_TRUE(other_ran);
}

ANYIO_TEST(lock, with_fast_acquire_does_not_let_others_run_while_it_is_free) {
    lock guarded({.fast_acquire = true});
    bool other_ran = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            other_ran = true;
            const auto held = co_await guarded.hold();
        });
        for (int i = 0; i < 10'000; ++i)
            const auto held = co_await guarded.hold();
        EXPECT_FALSE(other_ran);
        const auto held = co_await guarded.hold();
        co_await lowlevel::checkpoint();
        EXPECT_TRUE(other_ran);
        EXPECT_EQ(guarded.statistics().tasks_waiting, 1u);
    });
}

TEST(lock, serves_one_loop_after_the_other) {
    lock guarded;
    std::vector<int> order;
    for (int i = 0; i < 3; ++i) {
        anyio::testing::virtual_clock clock;
        run({.clock = &clock}, user, std::ref(guarded), std::ref(order), i);
    }
    EXPECT_THAT(order, ElementsAre(0, 1, 2));
}

// --- cancelled waiters

ANYIO_TEST(lock, is_left_by_a_cancelled_waiter_wherever_it_stands) {
    for (std::size_t gone = 0; gone < 3; ++gone) {
        lock guarded;
        std::vector<int> order;
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            co_await guarded.acquire();
            std::vector<task_handle<>> waiters;
            for (int i = 0; i < 3; ++i)
                waiters.push_back(
                    tg.create_task(user, std::ref(guarded), std::ref(order), i)
                );
            co_await wait_all_tasks_blocked();
            waiters[gone].cancel();
            EXPECT_EQ(guarded.statistics().tasks_waiting, 2u);
            guarded.release();
        });
        std::vector<int> expected{0, 1, 2};
        expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(gone));
        EXPECT_EQ(order, expected);
        EXPECT_FALSE(guarded.locked());
    }
}

ANYIO_TEST(lock, handed_over_before_the_cancel_of_the_same_turn_is_the_waiters) {
    lock guarded;
    bool got_it = false;
    bool after_checkpoint = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        co_await guarded.acquire();
        auto waiter = tg.create_task([&]() -> task<> {
            const auto held = co_await guarded.hold();
            got_it = true;
            co_await lowlevel::checkpoint();
            after_checkpoint = true;
        });
        co_await wait_all_tasks_blocked();
        guarded.release();
        waiter.cancel();
        co_await waiter.wait();
        EXPECT_EQ(waiter.status(), task_handle_status::cancelled);
        EXPECT_FALSE(guarded.locked());
    });
    EXPECT_TRUE(got_it);
    EXPECT_FALSE(after_checkpoint);
}

// anyio #387: the first waiter, cancelled as the lock comes to it, left the second asleep.
ANYIO_TEST(lock, goes_on_to_the_next_if_the_first_of_two_waiters_is_cancelled) {
    for (const bool release_first : {true, false}) {
        lock guarded;
        std::vector<int> order;
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            co_await guarded.acquire();
            auto first = tg.create_task(user, std::ref(guarded), std::ref(order), 1);
            auto second = tg.create_task(user, std::ref(guarded), std::ref(order), 2);
            co_await wait_all_tasks_blocked();
            if (release_first)
                guarded.release();
            first.cancel();
            if (!release_first)
                guarded.release();
            co_await second;
        });
        EXPECT_EQ(order.back(), 2);
        EXPECT_FALSE(guarded.locked());
    }
}

// anyio #1145: a waiter that had been cancelled, but not yet run, was handed the lock.
ANYIO_TEST(lock, is_never_handed_to_a_waiter_that_was_cancelled_before_the_release) {
    lock guarded;
    std::vector<int> order;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        co_await guarded.acquire();
        auto doomed = tg.create_task(user, std::ref(guarded), std::ref(order), 1);
        co_await wait_all_tasks_blocked();
        doomed.cancel();
        guarded.release();
        EXPECT_FALSE(guarded.locked());
        EXPECT_TRUE(guarded.try_acquire());
        guarded.release();
    });
    EXPECT_TRUE(order.empty());
}

ANYIO_TEST(lock, is_skipped_by_all_waiters_of_a_cancelled_group) {
    lock guarded;
    std::vector<int> order;
    co_await guarded.acquire();
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int i = 0; i < 10; ++i)
            tg.start_soon(user, std::ref(guarded), std::ref(order), i);
        co_await wait_all_tasks_blocked();
        tg.cancel();
        EXPECT_EQ(guarded.statistics().tasks_waiting, 0u);
    });
    EXPECT_TRUE(order.empty());
    EXPECT_TRUE(guarded.locked());
    guarded.release();
}
