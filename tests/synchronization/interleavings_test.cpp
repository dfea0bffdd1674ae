// SPDX-License-Identifier: MIT
#include <anyio/synchronization/capacity_limiter.hpp>
#include <anyio/synchronization/condition.hpp>
#include <anyio/synchronization/future.hpp>
#include <anyio/synchronization/lock.hpp>
#include <anyio/synchronization/semaphore.hpp>
#include "support/anyio_test.hpp"

#include <algorithm>
#include <array>
#include <optional>

// Every sequence of a few actions on one primitive: tasks come, are cancelled, are let
// run, the main task gives back. What must hold is looked at after each action.

using namespace anyio;

namespace {

constexpr int tasks = 3;
constexpr int length = ANYIO_SANITIZED ? 5 : 6;

enum class action : std::uint8_t { come, run, give_back, cancel_0, cancel_1, cancel_2 };
constexpr int actions = 6;

struct step_counts {
    int inside = 0;
    std::vector<int> order;  ///< of those who got it
};

/// A primitive that lets `capacity` tasks in; the main task has all of it at first.
struct lock_case {
    static constexpr int capacity = 1;
    lock primitive;

    auto hold() { return primitive.hold(); }

    void take() { primitive.acquire_nowait(); }

    void give_back() { primitive.release(); }

    void look(int inside, int waiting, int mine) const {
        EXPECT_EQ(primitive.statistics().tasks_waiting, static_cast<unsigned>(waiting));
        EXPECT_LE(inside + mine, 1);
    }

    [[nodiscard]] bool idle() const { return !primitive.locked(); }
};

struct semaphore_case {
    static constexpr int capacity = 2;
    semaphore primitive{2, {.max_value = 2}};

    auto hold() { return primitive.hold(); }

    void take() { primitive.acquire_nowait(); }

    void give_back() { primitive.release(); }

    void look(int inside, int waiting, int mine) const {
        EXPECT_EQ(primitive.statistics().tasks_waiting, static_cast<unsigned>(waiting));
        EXPECT_LE(inside + mine + static_cast<int>(primitive.value()), 2);
        EXPECT_TRUE(waiting == 0 || primitive.value() == 0) << "a lost wake-up";
    }

    [[nodiscard]] bool idle() const { return primitive.value() == 2; }
};

struct limiter_case {
    static constexpr int capacity = 2;
    capacity_limiter primitive{2};
    std::array<char, 2> borrowers{};
    std::size_t mine = 0;

    auto hold() { return primitive.hold(); }

    void take() { primitive.acquire_on_behalf_of_nowait(&borrowers[mine++]); }

    void give_back() { primitive.release_on_behalf_of(&borrowers[--mine]); }

    void look(int inside, int waiting, int) const {
        EXPECT_EQ(primitive.statistics().tasks_waiting, static_cast<unsigned>(waiting));
        EXPECT_LE(primitive.borrowed_tokens(), 2u);
        EXPECT_LE(static_cast<std::size_t>(inside) + mine, primitive.borrowed_tokens());
        EXPECT_TRUE(waiting == 0 || primitive.available_tokens() == 0)
            << "a lost wake-up";
    }

    [[nodiscard]] bool idle() const { return primitive.borrowed_tokens() == 0; }
};

template <class Case>
task<> visitor(Case& shared, step_counts& seen, int number) {
    const auto held = co_await shared.hold();
    seen.order.push_back(number);
    ++seen.inside;
    EXPECT_LE(seen.inside, Case::capacity);
    const auto leave = [&seen](int*) { --seen.inside; };
    const std::unique_ptr<int, decltype(leave)> inside(&seen.inside, leave);
    co_await lowlevel::checkpoint();
    co_await lowlevel::checkpoint();
}

template <class Case>
task<> play(std::array<int, length> script) {
    Case shared;
    step_counts seen;
    int mine = Case::capacity;
    for (int i = 0; i < mine; ++i)
        shared.take();
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        std::vector<task_handle<>> come;
        for (const int each : script) {
            const auto what = static_cast<action>(each);
            if (what == action::come && come.size() < tasks) {
                come.push_back(tg.create_task(
                    visitor<Case>,
                    std::ref(shared),
                    std::ref(seen),
                    static_cast<int>(come.size())
                ));
            } else if (what == action::run) {
                co_await lowlevel::checkpoint();
            } else if (what == action::give_back && mine > 0) {
                shared.give_back();
                --mine;
            } else if (what >= action::cancel_0) {
                const auto which = static_cast<std::size_t>(each) -
                                   static_cast<std::size_t>(action::cancel_0);
                if (which < come.size())
                    come[which].cancel();
            }
            const auto waiting =
                static_cast<int>(shared.primitive.statistics().tasks_waiting);
            shared.look(seen.inside, waiting, mine);
        }
        while (mine-- > 0)
            shared.give_back();
    });
    EXPECT_EQ(seen.inside, 0);
    if (Case::capacity == 1) {  // else who is let in first need not run first
        EXPECT_TRUE(std::is_sorted(seen.order.begin(), seen.order.end()))
            << "overtaken";
    }
    EXPECT_TRUE(shared.idle());
}

template <class Play>
task<> each_script(Play one) {
    std::array<int, length> script{};
    for (;;) {
        co_await one(script);
        if (::testing::Test::HasFailure()) {
            ADD_FAILURE() << "script: " << ::testing::PrintToString(script);
            co_return;
        }
        std::size_t at = 0;
        while (at < length && ++script[at] == actions)
            script[at++] = 0;
        if (at == length)
            co_return;
    }
}

}  // namespace

ANYIO_TEST(interleavings, of_a_lock) {
    co_await each_script(play<lock_case>);
}

ANYIO_TEST(interleavings, of_a_semaphore) {
    co_await each_script(play<semaphore_case>);
}

ANYIO_TEST(interleavings, of_a_capacity_limiter) {
    co_await each_script(play<limiter_case>);
}

namespace {

/// Two waiters of one condition; each notification is either received, or nobody waited.
task<> play_condition(std::array<int, length> script) {
    condition changed;
    int received = 0;
    int sent = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        std::vector<task_handle<>> come;
        auto waiter = [&]() -> task<> {
            const auto held = co_await changed.hold();
            co_await changed.wait();
            ++received;
        };
        for (const int each : script) {
            switch (static_cast<action>(each)) {
            case action::come:
                if (come.size() < 2)
                    come.push_back(tg.create_task(waiter));
                break;
            case action::run:
                co_await lowlevel::checkpoint();
                break;
            case action::give_back:
            case action::cancel_2:
                if (changed.try_acquire()) {
                    const std::size_t waiting = changed.statistics().tasks_waiting;
                    const std::size_t most = each == 2 ? 1 : 2;
                    changed.notify(most);
                    sent += static_cast<int>(std::min(waiting, most));
                    changed.release();
                }
                break;
            default: {
                const auto which = static_cast<std::size_t>(each) - 3;
                if (which < come.size())
                    come[which].cancel();
            }
            }
        }
        for (task_handle<>& each : come)
            each.cancel();
    });
    EXPECT_EQ(received, sent) << "a notification was lost, or invented";
    EXPECT_FALSE(changed.locked());
}

/// Two waiters, one of whom may be cancelled; the value may be set or the future cancelled.
task<> play_future(std::array<int, length> script) {
    future<int> answer;
    std::optional<future_status> expected;
    std::vector<int> got;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        std::vector<task_handle<>> come;
        auto waiter = [&]() -> task<> {
            auto ended = co_await as_outcome(answer);
            if (ended.has_value())
                got.push_back(ended.value());
        };
        for (const int each : script) {
            switch (static_cast<action>(each)) {
            case action::come:
                if (come.size() < 2)
                    come.push_back(tg.create_task(waiter));
                break;
            case action::run:
                co_await lowlevel::checkpoint();
                break;
            case action::give_back:
                if (!expected) {
                    expected = future_status::finished;
                    answer.set_value(7);
                } else {
                    EXPECT_ANY_THROW(answer.set_value(8));
                }
                break;
            case action::cancel_2:
                answer.cancel();
                if (!expected)
                    expected = future_status::cancelled;
                break;
            default: {
                const auto which = static_cast<std::size_t>(each) - 3;
                if (which < come.size())
                    come[which].cancel();
            }
            }
            EXPECT_EQ(answer.status(), expected.value_or(future_status::pending));
        }
        answer.cancel();
    });
    for (const int value : got)
        EXPECT_EQ(value, 7);
}

}  // namespace

ANYIO_TEST(interleavings, of_a_condition) {
    co_await each_script(play_condition);
}

ANYIO_TEST(interleavings, of_a_future) {
    co_await each_script(play_future);
}
