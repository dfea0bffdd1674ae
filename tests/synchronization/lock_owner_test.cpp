// SPDX-License-Identifier: MIT
#include <anyio/synchronization/lock.hpp>
#include "support/anyio_test.hpp"

#include <deque>
#include <optional>

// A task that ends with a lock, and tasks that wait for locks of each other.

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

namespace {

task<> take_and_forget(lock& guarded) {
    co_await guarded.acquire();
    co_await lowlevel::checkpoint();
}

std::string what_hold_throws(outcome<void>& ended) {
    return is_error<broken_resource_error>(ended.error()) ? message_of(ended.error())
                                                          : "no broken_resource_error";
}

}  // namespace

ANYIO_TEST(lock_owner, that_ends_with_the_lock_breaks_it_for_those_who_wait) {
    lock guarded;
    std::vector<std::string> said;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon({.name = "forgetful"}, take_and_forget, std::ref(guarded));
        for (int i = 0; i < 3; ++i)
            tg.start_soon([&]() -> task<> {
                auto ended = co_await as_outcome(guarded.acquire());
                said.push_back(what_hold_throws(ended));
            });
    });
    EXPECT_EQ(said.size(), 3u);
    for (const std::string& each : said)
        EXPECT_THAT(
            each,
            HasSubstr("task \"forgetful\" has ended without having released the lock")
        );
}

ANYIO_TEST(lock_owner, that_ends_with_the_lock_breaks_it_for_those_who_come_later) {
    lock guarded;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon(take_and_forget, std::ref(guarded));
    });
    auto ended = co_await as_outcome(guarded.acquire());
    EXPECT_THAT(
        what_hold_throws(ended),
        AllOf(HasSubstr("task \""), HasSubstr("take_and_forget\" has ended"))
    );
    EXPECT_THROW((void)guarded.try_acquire(), broken_resource_error);
    EXPECT_THROW(guarded.acquire_nowait(), broken_resource_error);
    EXPECT_THROW(guarded.release(), usage_error);
    const auto now = guarded.statistics();
    EXPECT_TRUE(now.locked);
    EXPECT_FALSE(now.owner.has_value());
}

ANYIO_TEST(lock_owner, breaks_the_lock_however_it_ends) {
    for (const int way : {0, 1, 2}) {
        lock guarded;
        auto owner = [&]() -> task<> {
            co_await guarded.acquire();
            if (way == 1)
                throw std::runtime_error("oops");
            if (way == 2)
                co_await sleep_forever();
        };
        auto ended = co_await as_outcome(with(
            create_task_group(),
            [&](task_group& tg) -> task<> {
                tg.start_soon(owner);
                co_await wait_all_tasks_blocked();
                tg.cancel();
            }
        ));
        EXPECT_EQ(ended.has_error(), way == 1);
        EXPECT_THROW((void)guarded.try_acquire(), broken_resource_error);
    }
}

ANYIO_TEST(lock_owner, breaks_only_the_locks_that_it_still_has) {
    std::deque<lock> locks(200);
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([&]() -> task<> {
            for (lock& each : locks)
                co_await each.acquire();
            for (std::size_t i = 0; i < locks.size(); i += 2)
                locks[i].release();
        });
    });
    for (std::size_t i = 0; i < locks.size(); ++i) {
        if (i % 2 == 0) {
            EXPECT_TRUE(locks[i].try_acquire());
        } else {
            EXPECT_THROW((void)locks[i].try_acquire(), broken_resource_error);
        }
    }
    for (std::size_t i = 0; i < locks.size(); i += 2)
        locks[i].release();
}

ANYIO_TEST(lock_owner, may_hand_the_lock_on_and_end) {
    lock guarded;
    co_await with(create_task_group(), [&](task_group& tg) {
        for (int i = 0; i < 100; ++i)
            tg.start_soon([&]() -> task<> {
                const auto held = co_await guarded.hold();
                co_await lowlevel::checkpoint();
            });
    });
    EXPECT_TRUE(guarded.try_acquire());
    guarded.release();
}

ANYIO_TEST(lock_owner, may_keep_the_guard_in_what_its_function_captured) {
    lock guarded;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([&, kept = std::optional<held_lock>()]() mutable -> task<> {
            kept.emplace(co_await guarded.hold());
        });
    });
    EXPECT_FALSE(guarded.locked());
}

ANYIO_TEST(lock_owner, that_moved_the_guard_away_and_ended_breaks_the_lock) {
    lock guarded;
    std::optional<held_lock> elsewhere;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([&]() -> task<> {
            auto held = co_await guarded.hold();
            elsewhere.emplace(std::move(held));
        });
    });
    EXPECT_THROW((void)guarded.try_acquire(), broken_resource_error);
    elsewhere.reset();  // nothing to release any more
    EXPECT_THROW((void)guarded.try_acquire(), broken_resource_error);
}

TEST(lock_owner, may_be_the_main_task) {
    lock guarded;
    run([&]() -> task<> { co_await guarded.acquire(); });
    run([&]() -> task<> {
        auto ended = co_await as_outcome(guarded.acquire());
        EXPECT_TRUE(is_error<broken_resource_error>(ended.error()));
    });
}

ANYIO_TEST(lock_owner, may_outlive_the_lock) {
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([]() -> task<> {
            {
                lock short_lived;
                co_await short_lived.acquire();
            }
            co_await lowlevel::checkpoint();
        });
    });
}

ANYIO_TEST(lock_owner, that_ends_while_the_waiter_is_cancelled_lets_it_unwind) {
    lock guarded;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon(take_and_forget, std::ref(guarded));
        auto waiter = tg.create_task([&]() -> task<> {
            const auto held = co_await guarded.hold();
            ADD_FAILURE();
        });
        co_await lowlevel::checkpoint();
        EXPECT_EQ(guarded.statistics().tasks_waiting, 1u);
        waiter.cancel();
    });
    EXPECT_TRUE(guarded.locked());
}

// --- cycles

namespace {

task<> take_both(lock& first, lock& second) {
    const auto one = co_await first.hold();
    co_await lowlevel::checkpoint();
    const auto two = co_await second.hold();
}

template <class F>
task<std::string> stderr_of(F block) {
    ::testing::internal::CaptureStderr();
    co_await block();
    co_return ::testing::internal::GetCapturedStderr();
}

}  // namespace

ANYIO_TEST(lock_cycle, of_two_tasks_is_reported_with_their_names_in_debug_builds) {
    lock a;
    lock b;
    auto block = [&]() -> task<> {
        co_await with(move_on_after(1s), create_task_group(), [&](task_group& tg) {
            tg.start_soon({.name = "left"}, take_both, std::ref(a), std::ref(b));
            tg.start_soon({.name = "right"}, take_both, std::ref(b), std::ref(a));
        });
    };
    const std::string said = co_await stderr_of(block);
#if ANYIO_DEBUG
    EXPECT_EQ(
        said,
        "anyio: lock::acquire: deadlock: \"right\" waits for a lock of \"left\", which "
        "waits for a lock of \"right\"; acquire locks in the same order everywhere\n"
    );
#else
    EXPECT_EQ(said, "");
#endif
    EXPECT_FALSE(a.locked());
    EXPECT_FALSE(b.locked());
}

ANYIO_TEST(lock_cycle, of_many_tasks_is_reported_once) {
    std::deque<lock> locks(5);
    auto block = [&]() -> task<> {
        co_await with(move_on_after(1s), create_task_group(), [&](task_group& tg) {
            for (std::size_t i = 0; i < 5; ++i)
                tg.start_soon(
                    {.name = std::string(1, static_cast<char>('a' + i))},
                    take_both,
                    std::ref(locks[i]),
                    std::ref(locks[(i + 1) % 5])
                );
        });
    };
    const std::string said = co_await stderr_of(block);
#if ANYIO_DEBUG
    EXPECT_THAT(
        said, ContainsRegex("\"e\" waits.*\"a\", which.*\"b\", which.*\"e\"; ")
    );
    EXPECT_EQ(said.find('\n'), said.size() - 1);
#endif
}

ANYIO_TEST(lock_cycle, that_somebody_else_waits_for_does_not_keep_the_search_busy) {
    lock a;
    lock b;
    auto block = [&]() -> task<> {
        co_await with(move_on_after(1s), create_task_group(), [&](task_group& tg) {
            tg.start_soon(take_both, std::ref(a), std::ref(b));
            tg.start_soon(take_both, std::ref(b), std::ref(a));
            tg.start_soon([&]() -> task<> {
                co_await sleep(100ms);
                const auto held = co_await a.hold();
            });
        });
    };
    const std::string said = co_await stderr_of(block);
    EXPECT_LE(std::count(said.begin(), said.end(), '\n'), 1);
}

ANYIO_TEST(lock_cycle, is_not_a_chain_of_waiting_tasks) {
    std::deque<lock> locks(4);
    auto block = [&]() -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) {
            for (std::size_t i = 0; i < 3; ++i)
                tg.start_soon(take_both, std::ref(locks[i]), std::ref(locks[i + 1]));
        });
    };
    const std::string said = co_await stderr_of(block);
    EXPECT_EQ(said, "");
}

TEST(lock_cycle, that_nothing_can_end_is_a_deadlock_whose_report_names_the_owners) {
    lock a;
    lock b;
    std::string report;
    ::testing::internal::CaptureStderr();
    try {
        run([&]() -> task<> {
            co_await with(create_task_group(), [&](task_group& tg) {
                tg.start_soon({.name = "left"}, take_both, std::ref(a), std::ref(b));
                tg.start_soon({.name = "right"}, take_both, std::ref(b), std::ref(a));
            });
        });
    } catch (const deadlock_error& e) {
        report = e.what();
    }
    ::testing::internal::GetCapturedStderr();
    EXPECT_THAT(report, HasSubstr("left  waiting in lock::acquire, held by \"right\""));
    EXPECT_THAT(report, HasSubstr("right  waiting in lock::acquire, held by \"left\""));
    EXPECT_FALSE(a.locked());
}
