// SPDX-License-Identifier: MIT
// Nobody is late by more than a step of others. Real time, but what is counted are steps:
// on a machine that is busy a step takes longer, and there are no more of them.
#include <anyio/lowlevel/loop_state.hpp>
#include "support/anyio_test.hpp"

#include <array>
#include <functional>
#include <utility>

#include <sys/socket.h>

using namespace anyio;
using namespace std::chrono_literals;

namespace {

using steady = std::chrono::steady_clock;

void compute(duration time) {
    const auto end = steady::now() + time;
    while (steady::now() < end) {
    }
}

/// Runs `body` on each backend, in real time.
template <class F>
void on_each_backend(F body) {
    for (const std::string_view name : get_available_backends()) {
        SCOPED_TRACE(name);
        run({.backend = name}, body);
    }
}

/// A stream, and the other end of it.
struct wire {
    wire() : wire(pair()) {}

    explicit wire(std::array<int, 2> ends)
        : stream(unix_socket_stream::from_fd(unique_fd(ends[0]))), other(ends[1]) {}

    static std::array<int, 2> pair() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
        return ends;
    }

    unix_socket_stream stream;
    unique_fd other;
};

/// Sleeps, and knows when that should have ended.
struct sleeper {
    task<> sleep(duration time) {
        due = steady::now() + time;
        co_await anyio::sleep(time);
        woken = true;
    }

    [[nodiscard]] bool is_late() const { return !woken && steady::now() > due; }

    steady::time_point due = steady::time_point::max();
    bool woken = false;
};

}  // namespace

TEST(lateness, of_a_sleeper_beside_tasks_that_compute_is_a_step_or_two) {
    on_each_backend([]() -> task<> {
        sleeper sleeping;
        int late = 0;
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(&sleeper::sleep, std::ref(sleeping), 20ms);
            for (int i = 0; i < 64; ++i) {
                tg.start_soon([&]() -> task<> {
                    while (!sleeping.woken) {
                        late += sleeping.is_late() ? 1 : 0;
                        compute(1ms);
                        co_await lowlevel::checkpoint();
                    }
                });
            }
        });
        EXPECT_LE(late, 2);
    });
}

TEST(lateness, of_a_receiver_beside_tasks_that_compute_is_a_step_or_two) {
    on_each_backend([]() -> task<> {
        wire pair;
        bool received = false;
        bool sent = false;
        int late = 0;
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon([&]() -> task<> {
                (void)co_await pair.stream.receive();
                received = true;
            });
            for (int i = 0; i < 64; ++i) {
                tg.start_soon([&, i]() -> task<> {
                    bool first = true;
                    while (!received) {
                        late += sent ? 1 : 0;
                        compute(1ms);
                        if (i == 7 && std::exchange(first, false))
                            sent = ::send(pair.other.get(), "x", 1, 0) == 1;
                        co_await lowlevel::checkpoint();
                    }
                });
            }
        });
        EXPECT_LE(late, 2);
    });
}

TEST(lateness, of_a_sleeper_beside_a_crowd_that_yields_is_less_than_a_round) {
    on_each_backend([]() -> task<> {
        constexpr int crowd = 20'000;
        sleeper sleeping;
        int late = 0;
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon(&sleeper::sleep, std::ref(sleeping), 50ms);
            for (int i = 0; i < crowd; ++i) {
                tg.start_soon([&]() -> task<> {
                    while (!sleeping.woken) {
                        late += sleeping.is_late() ? 1 : 0;
                        co_await lowlevel::checkpoint();
                    }
                });
            }
        });
        EXPECT_LT(late, crowd / 2);
    });
}

TEST(lateness, crowds_from_outside_do_not_keep_ordinary_tasks_from_running) {
    on_each_backend([]() -> task<> {
        bool stop = false;
        int steps = 0;
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            for (int i = 0; i < 100; ++i) {
                tg.start_soon([&]() -> task<> {
                    while (!stop) {
                        co_await sleep(1us);
                        compute(20us);
                    }
                });
            }
            for (; steps < 50; ++steps)
                co_await lowlevel::checkpoint();
            stop = true;
        });
        EXPECT_EQ(steps, 50);
    });
}

TEST(lateness, a_checkpoint_after_a_deadline_that_has_passed_unwinds) {
    on_each_backend([]() -> task<> {
        int passed_in_vain = 0;
        const time_point deadline = current_time() + 20ms;
        co_await with(move_on_at(deadline), [&]() -> task<> {
            for (;;) {
                compute(3ms);
                const bool over =
                    steady::now().time_since_epoch() > deadline.time_since_epoch();
                co_await lowlevel::checkpoint();
                passed_in_vain += over ? 1 : 0;
            }
        });
        EXPECT_EQ(passed_in_vain, 0);
    });
}

TEST(lateness, operations_that_are_ready_do_not_hide_a_deadline_either) {
    on_each_backend([]() -> task<> {
        event set;
        set.set();
        int in_vain = 0;
        const time_point deadline = current_time() + 20ms;
        co_await with(move_on_at(deadline), [&]() -> task<> {
            for (;;) {
                compute(3ms);
                const bool over =
                    steady::now().time_since_epoch() > deadline.time_since_epoch();
                co_await set.wait();
                in_vain += over ? 1 : 0;
            }
        });
        EXPECT_LE(in_vain, 2) << "the one that used up the step is complete";
    });
}

TEST(lateness, in_virtual_time_too_a_checkpoint_after_the_deadline_unwinds) {
    anyio::testing::virtual_clock clock;
    run({.clock = &clock}, [&]() -> task<> {
        const bool finished = co_await with(move_on_after(1s), [&]() -> task<> {
            co_await lowlevel::checkpoint();
            clock.advance(1s);
            co_await lowlevel::checkpoint();
            ADD_FAILURE();
        });
        EXPECT_FALSE(finished);
    });
}

TEST(lateness, a_message_that_posts_itself_keeps_no_socket_waiting) {
    on_each_backend([]() -> task<> {
        wire pair;
        auto token = lowlevel::current_token();
        bool received = false;
        long messages = 0;
        const std::function<void()> again = [&] {
            if (++messages < 1'000'000 && !received)
                token.run_sync_soon([&] { again(); });
        };
        again();
        EXPECT_EQ(::send(pair.other.get(), "x", 1, 0), 1);
        (void)co_await pair.stream.receive();
        received = true;
        EXPECT_LT(messages, 1'000'000);
        co_await sleep(1ms);  // the last message
    });
}

TEST(lateness, a_backlog_of_messages_keeps_no_sleeper_waiting) {
    on_each_backend([]() -> task<> {
        auto token = lowlevel::current_token();
        constexpr int posted = 200;
        int run_so_far = 0;
        int run_before_waking = -1;
        for (int i = 0; i < posted; ++i)
            token.run_sync_soon([&] {
                compute(1ms);
                ++run_so_far;
            });
        co_await sleep(5ms);
        run_before_waking = run_so_far;
        EXPECT_LE(run_before_waking, 10);
        while (run_so_far < posted)
            co_await sleep(1ms);
    });
}
