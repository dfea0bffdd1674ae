// SPDX-License-Identifier: MIT
#include "support/out_of_memory.hpp"

#include <anyio/tasks/amap.hpp>
#include <anyio/tasks/as_completed.hpp>
#include <anyio/tasks/gather.hpp>
#include <anyio/tasks/task_group.hpp>

#include <optional>
#include <stdexcept>
#include <string>

// Every allocation of an operation fails once, the first, the second, and so on.

using namespace std::chrono_literals;
using anyio::as_outcome;
using anyio::create_task_group;
using anyio::exception_group;
using anyio::sleep;
using anyio::task;
using anyio::task_group;
using anyio::with;
using support::allocations_left;
using support::await_with_more_and_more_memory;
using support::is_lack_of_memory;
using support::unlimited;
using support::with_more_and_more_memory;

namespace {

constexpr long most = 50;  // allocations that an operation may need

const char* const long_text = "a text that is too long to be kept in place";

}  // namespace

ANYIO_TEST(out_of_memory, start_soon_starts_the_child_or_nothing) {
    int ran = 0;
    auto child = [&](const std::string& text) -> task<> {
        co_await sleep(0s);
        EXPECT_EQ(text, long_text);
        ++ran;
    };
    co_await with(create_task_group(), [&](task_group& tg) {
        const std::string text = long_text;
        with_more_and_more_memory([&] {
            tg.start_soon({.name = long_text}, child, text);
        });
    });
    EXPECT_EQ(ran, 1);
}

ANYIO_TEST(out_of_memory, create_task_creates_the_task_or_nothing) {
    int ran = 0;
    auto child = [&](const std::string& text) -> task<std::string> {
        co_await sleep(0s);
        ++ran;
        co_return text;
    };
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        const std::string text = long_text;
        std::optional<anyio::task_handle<std::string>> handle;
        with_more_and_more_memory([&] {
            handle.emplace(tg.create_task({.name = long_text}, child, text));
        });
        const auto& value = co_await *handle;
        EXPECT_EQ(value, long_text);
    });
    EXPECT_EQ(ran, 1);
}

ANYIO_TEST(out_of_memory, a_task_of_a_task_from_elsewhere_is_started_or_nothing_is) {
    int ran = 0;
    auto inner = [&]() -> task<> {
        ++ran;
        co_return;
    };
    auto outer = [](task<> first) -> task<> { co_await std::move(first); };
    co_await with(create_task_group(), [&](task_group& tg) {
        with_more_and_more_memory([&] { tg.start_soon([&] { return outer(inner()); }); }
        );
    });
    EXPECT_EQ(ran, 1);
}

ANYIO_TEST(out_of_memory, start_starts_the_child_or_throws) {
    int ran = 0;
    auto child = [&](const std::string&, anyio::task_status<int> status) -> task<> {
        ++ran;
        status.started(7);
        co_return;
    };
    bool started = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        const std::string text = long_text;
        for (long n = 0; n < most && !started; ++n) {
            allocations_left = n;
            try {
                const int value = co_await tg.start({.name = long_text}, child, text);
                started = value == 7;
            } catch (const std::bad_alloc&) {
                started = false;
            }
            allocations_left = unlimited;
        }
    });
    EXPECT_TRUE(started);
    EXPECT_EQ(ran, 1);
}

ANYIO_TEST(out_of_memory, a_block_runs_or_throws) {
    bool ran = false;
    for (long n = 0; n < most && !ran; ++n) {
        std::exception_ptr error;
        allocations_left = n;
        try {
            co_await with(
                anyio::move_on_after(1s),
                create_task_group(),
                [&](task_group&) -> task<> {
                    ran = true;
                    co_return;
                }
            );
        } catch (...) {
            error = std::current_exception();
        }
        allocations_left = unlimited;
        EXPECT_EQ(is_lack_of_memory(error), !ran);
    }
    EXPECT_TRUE(ran);
}

ANYIO_TEST(out_of_memory, an_error_of_a_child_is_never_lost) {
    const auto thrown = std::make_exception_ptr(std::runtime_error("oops"));
    bool complete = false;
    for (long n = 0; n < most && !complete; ++n) {
        auto ended = co_await as_outcome(with(
            create_task_group(),
            [&](task_group& tg) -> task<> {
                tg.start_soon([&]() -> task<> {
                    co_await sleep(1s);
                    allocations_left = n;
                    std::rethrow_exception(thrown);
                });
                co_await anyio::sleep_forever();
            }
        ));
        allocations_left = unlimited;
        EXPECT_TRUE(ended.has_error());
        EXPECT_EQ(messages_of(ended.error()), std::vector<std::string>{"oops"});
        const auto* group = anyio::caught_as<exception_group>(ended.error());
        complete = group && group->members()[0].trace.size() == 1 &&
                   !group->members()[0].task.empty();
    }
    EXPECT_TRUE(complete);
}

ANYIO_TEST(out_of_memory, errors_of_many_children_make_the_block_fail) {
    const auto thrown = std::make_exception_ptr(std::runtime_error("oops"));
    bool complete = false;
    for (long n = 0; n < most && !complete; ++n) {
        auto ended = co_await as_outcome(with(create_task_group(), [&](task_group& tg) {
            for (int i = 0; i < 5; ++i)
                tg.start_soon([&]() -> task<> {
                    auto slept = co_await as_outcome(sleep(1s));
                    allocations_left = n;
                    std::rethrow_exception(thrown);
                });
        }));
        allocations_left = unlimited;
        EXPECT_TRUE(ended.has_error());
        EXPECT_EQ(messages_of(ended.error()).front(), "oops");
        complete = messages_of(ended.error()).size() == 5;
    }
    EXPECT_TRUE(complete);
}

// --- gather, amap, as_completed

namespace {

task<std::string> copy_of(std::string text) {
    co_await sleep(0s);
    co_return text;
}

}  // namespace

ANYIO_TEST(out_of_memory, gather_returns_everything_or_throws) {
    // A task that could not be started is dropped, and says so.
    ::testing::internal::CaptureStderr();
    co_await await_with_more_and_more_memory([]() -> task<> {
        const auto [a, b] =
            co_await anyio::gather(copy_of(long_text), copy_of(long_text));
        EXPECT_EQ(a, b);
    });
    ::testing::internal::GetCapturedStderr();
}

ANYIO_TEST(out_of_memory, amap_returns_everything_or_throws) {
    const std::vector<std::string> texts(3, long_text);
    for (const std::size_t limit : {std::size_t{2}, anyio::amap_options::unlimited})
        co_await await_with_more_and_more_memory([&]() -> task<> {
            const auto copies = co_await anyio::amap(texts, copy_of, {.limit = limit});
            EXPECT_EQ(copies, texts);
        });
}

ANYIO_TEST(out_of_memory, as_completed_gives_everything_or_throws) {
    ::testing::internal::CaptureStderr();
    co_await await_with_more_and_more_memory([]() -> task<> {
        int got = 0;
        co_await with(
            anyio::as_completed(copy_of(long_text), copy_of(long_text)),
            [&](anyio::completed_tasks<std::string>& done) -> task<> {
                while (auto finished = co_await done.next())
                    ++got;
            }
        );
        EXPECT_EQ(got, 2);
    });
    ::testing::internal::GetCapturedStderr();
}

// --- sleeps, scopes, posts, name look-ups

namespace {

// Many timers: the queue of deadlines grows at each power of two from 128 on.
task<> in_a_crowd(int sleepers, anyio::unique_function<task<>()> scenario) {
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        for (int i = 0; i < sleepers; ++i)
            tg.start_soon(anyio::sleep, 1h);
        co_await anyio::wait_all_tasks_blocked();
        co_await scenario();
        tg.cancel();
    });
}

task<> nest(int depth) {
    if (depth == 0) {
        co_await sleep(1ms);
        co_return;
    }
    co_await anyio::fail_after(1h, nest(depth - 1));
}

task<> nest_blocks(int depth) {
    if (depth == 0) {
        co_await sleep(1ms);
        co_return;
    }
    co_await with(anyio::move_on_after(1h), [&]() -> task<> {
        co_await nest_blocks(depth - 1);
    });
}

}  // namespace

ANYIO_TEST(out_of_memory, a_sleep_sleeps_or_throws) {
    for (const int sleepers :
         {0, 1, 62, 63, 64, 65, 126, 127, 128, 129, 192, 255, 256}) {
        auto scenario = [] {
            return await_with_more_and_more_memory([]() -> task<> {
                co_await sleep(1ms);
            });
        };
        co_await in_a_crowd(sleepers, scenario);
    }
}

ANYIO_TEST(out_of_memory, nested_scopes_work_or_throw) {
    for (const int depth : {1, 31, 32, 33, 63, 64, 65, 66, 127, 128, 129, 300}) {
        co_await nest(depth);
        co_await nest_blocks(depth);
    }
    for (const int sleepers : {0, 60, 100, 127}) {
        auto scenario = []() -> task<> {
            co_await await_with_more_and_more_memory([] { return nest(70); });
            co_await await_with_more_and_more_memory([] { return nest_blocks(70); });
        };
        co_await in_a_crowd(sleepers, scenario);
    }
}

ANYIO_TEST(out_of_memory, a_deadline_is_moved_or_stays) {
    anyio::cancel_scope scope;
    co_await in_a_crowd(126, [&]() -> task<> {
        co_await with(scope, [&]() -> task<> {
            with_more_and_more_memory([&] {
                scope.set_deadline(anyio::after(anyio::current_time(), 1h));
            });
            co_await sleep(1ms);
        });
    });
    EXPECT_FALSE(scope.cancelled_caught());
}

ANYIO_TEST(out_of_memory, a_function_is_posted_or_not) {
    int called = 0;
    const auto token = anyio::lowlevel::current_token();
    const std::string text = long_text;
    with_more_and_more_memory([&] {
        token.run_sync_soon([&called, copy = std::string(text)] { ++called; });
    });
    co_await sleep(1ms);
    EXPECT_EQ(called, 1);
}

ANYIO_TEST(out_of_memory, a_variable_is_set_or_keeps_its_value) {
    static anyio::context_var<std::string> name("name", "before");
    static anyio::lowlevel::run_var<std::string> number("number");
    const std::string text = long_text;
    with_more_and_more_memory([&] {
        EXPECT_EQ(name.get(), "before");
        name.set(text);
    });
    EXPECT_EQ(name.get(), long_text);
    with_more_and_more_memory([&] { number.set(text); });
    EXPECT_EQ(number.get(), long_text);
    co_return;
}

ANYIO_TEST(out_of_memory, a_name_is_looked_up_or_not) {
    co_await await_with_more_and_more_memory([]() -> task<> {
        const auto found = co_await anyio::getaddrinfo("127.0.0.1", 80);
        EXPECT_EQ(found.size(), 1u);
    });
    co_await await_with_more_and_more_memory([]() -> task<> {
        const auto found = co_await anyio::getaddrinfo("localhost", 80);
        EXPECT_FALSE(found.empty());
    });
}

ANYIO_TEST(out_of_memory, an_item_is_sent_or_not) {
    auto [send, receive] = anyio::create_memory_object_stream<std::string>(100);
    for (int i = 0; i < 20; ++i)
        with_more_and_more_memory([&, &to = send] { to.send_nowait("x"); });
    EXPECT_EQ(receive.statistics().current_buffer_used, 20u);
    co_return;
}

ANYIO_TEST(out_of_memory, an_exit_stack_closes_what_it_has_entered) {
    int closed = 0;
    co_await await_with_more_and_more_memory([&]() -> task<> {
        closed = 0;
        co_await with(anyio::exit_stack(), [&](anyio::exit_stack& stack) {
            for (int i = 0; i < 3; ++i)
                stack.callback([&]() -> task<> {
                    ++closed;
                    co_return;
                });
        });
    });
    EXPECT_EQ(closed, 3);
}
