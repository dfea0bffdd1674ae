// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/loop_state.hpp>
#include "support/anyio_test.hpp"

#include <optional>
#include <thread>

// What belongs to a loop, touched from a thread that does not run it.

using namespace anyio;
using ::testing::HasSubstr;

namespace {

/// Runs `use` in another thread, while a task waits in what `wait` returns.
template <class Thing, class Wait, class Use>
void touch(Wait wait, Use use) {
    run([&]() -> task<> {
        Thing thing;
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> { co_await wait(thing); });
            co_await anyio::wait_all_tasks_blocked();
            std::thread([&] { use(thing); }).join();
        });
    });
}

struct scope_and_event {
    event never_set{};
    cancel_scope scope{};
};

struct queue {
    queue() : queue(create_memory_object_stream<int>(0)) {}

    explicit queue(
        std::pair<memory_object_send_stream<int>, memory_object_receive_stream<int>>
            ends
    )
        : send(std::move(ends.first)), receive(std::move(ends.second)) {}

    memory_object_send_stream<int> send;
    memory_object_receive_stream<int> receive;
};

constexpr const char* advice =
    "from a thread that does not run its loop.*run_sync_soon";

}  // namespace

#if ANYIO_DEBUG

TEST(other_threads_death, wake_nobody) {
    ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_DEATH(
        touch<event>(
            [](event& e) -> task<> { co_await e.wait(); }, [](event& e) { e.set(); }
        ),
        advice
    );
    EXPECT_DEATH(
        touch<future<int>>(
            [](future<int>& f) -> task<> { co_await f.wait(); },
            [](future<int>& f) { f.set_value(1); }
        ),
        advice
    );
    EXPECT_DEATH(
        touch<queue>(
            [](queue& p) -> task<> { (void)co_await p.receive.receive(); },
            [](queue& p) { p.send.send_nowait(1); }
        ),
        advice
    );
}

TEST(other_threads_death, wake_nobody_from_another_loop_either) {
    ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_DEATH(
        touch<event>(
            [](event& e) -> task<> { co_await e.wait(); },
            [](event& e) {
                run([&]() -> task<> {
                    e.set();
                    co_return;
                });
            }
        ),
        advice
    );
}

TEST(other_threads_death, cancel_nothing) {
    ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_DEATH(
        touch<scope_and_event>(
            [](scope_and_event& s) -> task<> {
                co_await with(s.scope, [&]() -> task<> {
                    co_await s.never_set.wait();
                });
            },
            [](scope_and_event& s) { s.scope.cancel(); }
        ),
        advice
    );
}

ANYIO_TEST(other_threads, start_no_tasks) {
    std::string message;
    co_await with(create_task_group(), [&](task_group& tg) {
        std::thread([&] {
            message = message_thrown_by<no_event_loop_error>([&] {
                tg.start_soon(sleep_forever);
            });
        }).join();
    });
    EXPECT_THAT(message, HasSubstr("start_soon: no event loop runs in this thread"));
    EXPECT_THAT(message, HasSubstr("run_sync_soon"));
}

#endif

TEST(other_threads, are_spoken_of_when_nobody_can_wake_anybody) {
    std::string report;
    try {
        run([]() -> task<> {
            event never_set;
            co_await never_set.wait();
        });
    } catch (const deadlock_error& error) {
        report = error.what();
    }
    EXPECT_THAT(report, HasSubstr("another thread"));
    EXPECT_THAT(report, HasSubstr("event_loop_token::run_sync_soon()"));
}
