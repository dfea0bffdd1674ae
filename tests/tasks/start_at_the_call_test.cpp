// SPDX-License-Identifier: MIT
/// start() of a function that is no coroutine: it says that it is ready before there is a
/// task.
#include <anyio/tasks/task_group.hpp>
#include "support/anyio_test.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using anyio::as_outcome;
using anyio::create_task_group;
using anyio::sleep;
using anyio::task;
using anyio::task_group;
using anyio::task_status;
using anyio::with;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

namespace {

using notes = std::vector<std::string>;

task<> note(notes& log, std::string what) {
    co_await sleep(1s);
    log.push_back(std::move(what));
}

/// Throws when it is made of a negative number.
struct positive {
    explicit positive(int n) : number(n) {
        if (n < 0)
            throw std::runtime_error("negative");
    }

    int number;
};

}  // namespace

ANYIO_TEST(start_at_the_call, gives_the_value_and_runs_the_task_in_the_group) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto wrapper = [&](task_status<int> status) {
            status.started(5);
            return note(log, "child");
        };
        const int value = co_await tg.start(wrapper);
        EXPECT_EQ(value, 5);
        EXPECT_EQ(tg.core().count(), 1u);
        log.push_back("started");
    });
    EXPECT_THAT(log, ElementsAre("started", "child"));
}

ANYIO_TEST(start_at_the_call, gives_out_the_error_of_a_second_call) {
    notes log;
    bool went_on = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto wrapper = [&](task_status<int> status) {
            status.started(5);
            status.started(6);
            return note(log, "not reached");
        };
        auto ended = co_await as_outcome(tg.start(wrapper));
        EXPECT_TRUE(is_error<anyio::usage_error>(ended.error()));
        EXPECT_THAT(message_of(ended.error()), HasSubstr("called twice"));
        co_await sleep(1s);
        went_on = true;  // the group is not cancelled
    });
    EXPECT_TRUE(went_on);
    EXPECT_THAT(log, ElementsAre());
}

ANYIO_TEST(start_at_the_call, gives_out_what_the_function_throws) {
    std::optional<task_status<int>> kept;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto before = [](task_status<int>) -> task<> { throw std::runtime_error("a"); };
        auto after = [&](task_status<int> status) -> task<> {
            kept = status;
            status.started(5);
            throw std::runtime_error("b");
        };
        auto first = co_await as_outcome(tg.start(before));
        EXPECT_EQ(message_of(first.error()), "a");
        auto second = co_await as_outcome(tg.start(after));
        EXPECT_EQ(message_of(second.error()), "b");
        auto keeping = [&](task_status<int> status) -> task<> {
            kept = status;
            throw std::runtime_error("c");
        };
        auto third = co_await as_outcome(tg.start(keeping));
        EXPECT_EQ(message_of(third.error()), "c");
        kept->started(6);  // nobody waits for it any more
    });
}

ANYIO_TEST(start_at_the_call, makes_a_later_failure_one_of_the_group) {
    auto ended =
        co_await as_outcome(with(create_task_group(), [](task_group& tg) -> task<> {
            auto wrapper = [](task_status<> status) {
                status.started();
                return []() -> task<> {
                    throw std::runtime_error("late");
                    co_return;
                }();
            };
            co_await tg.start(wrapper);
            co_await anyio::sleep_forever();
        }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("late"));
}

ANYIO_TEST(start_at_the_call, keeps_the_child_out_of_the_starters_scope) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        co_await with(anyio::cancel_scope(), [&](anyio::cancel_scope& scope) -> task<> {
            auto wrapper = [&](task_status<> status) {
                status.started();
                return note(log, "child");
            };
            co_await tg.start(wrapper);
            scope.cancel();
            co_await sleep(0s);
        });
    });
    EXPECT_THAT(log, ElementsAre("child"));
}

ANYIO_TEST(start_at_the_call, is_possible_again_after_a_value_that_throws) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto child = [](task_status<positive> status) -> task<> {
            EXPECT_THROW(status.started(-1), std::runtime_error);
            status.started(3);
            co_return;
        };
        const positive value = co_await tg.start(child);
        EXPECT_EQ(value.number, 3);
        auto failing = [](task_status<positive> status) -> task<> {
            status.started(-1);
            co_return;
        };
        auto ended = co_await as_outcome(tg.start(failing));
        EXPECT_EQ(message_of(ended.error()), "negative");
        auto at_the_call = [](task_status<positive> status) {
            status.started(-1);
            return []() -> task<> { co_return; }();
        };
        auto early = co_await as_outcome(tg.start(at_the_call));
        EXPECT_EQ(message_of(early.error()), "negative");
    });
}

// --- one function for start() and start_soon()

namespace {

task<int> serve(int number, task_status<int> status = anyio::TASK_STATUS_IGNORED) {
    status.started(number + 1);
    co_await sleep(1s);
    co_return number;
}

struct server {
    int served = 0;

    task<> run(int number, task_status<> status = anyio::TASK_STATUS_IGNORED) {
        status.started();
        co_await sleep(1s);
        served += number;
    }
};

}  // namespace

ANYIO_TEST(one_function, is_good_for_start_and_start_soon_and_create_task) {
    server object;
    int made = 0;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon(serve, 3);
        tg.start_soon({.name = "named"}, serve, 3);
        auto handle = tg.create_task(serve, 4);
        const int port = co_await tg.start(serve, 5);
        EXPECT_EQ(port, 6);
        tg.start_soon(&server::run, &object, 1);
        co_await tg.start(&server::run, &object, 10);
        auto by_lambda = [&](task_status<> status) -> task<> {
            status.started();
            made += 1;
            co_return;
        };
        tg.start_soon(by_lambda);
        tg.start_soon(std::ref(by_lambda));
        const int value = co_await handle;
        EXPECT_EQ(value, 4);
    });
    EXPECT_EQ(object.served, 11);
    EXPECT_EQ(made, 2);
}

ANYIO_TEST(start_task, gives_a_handle_and_the_value) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto [handle, port] = co_await tg.start_task(serve, 5);
        EXPECT_EQ(port, 6);
        EXPECT_EQ(handle.status(), anyio::task_handle_status::pending);
        const int value = co_await handle;
        EXPECT_EQ(value, 5);
        server object;
        auto only = co_await tg.start_task(&server::run, std::ref(object), 1);
        only.cancel();
        co_await only.wait();
        EXPECT_EQ(only.status(), anyio::task_handle_status::cancelled);
        EXPECT_FALSE(tg.cancel_scope().cancel_called());
        auto failed = co_await as_outcome(tg.start_task([](task_status<int>) -> task<> {
            throw std::runtime_error("early");
            co_return;
        }));
        EXPECT_EQ(message_of(failed.error()), "early");
    });
}
