// SPDX-License-Identifier: MIT
#include <anyio/tasks/task_status.hpp>
#include "support/anyio_test.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using anyio::as_outcome;
using anyio::create_task_group;
using anyio::sleep;
using anyio::task;
using anyio::task_group;
using anyio::task_status;
using anyio::TASK_STATUS_IGNORED;
using anyio::with;
using testing::ElementsAre;

namespace {

using notes = std::vector<std::string>;

task<> serve(notes& log, int port, task_status<int> status = TASK_STATUS_IGNORED) {
    co_await sleep(1s);
    log.push_back("ready");
    status.started(port);
    co_await sleep(1s);
    log.push_back("served");
}

task<> become_ready(task_status<> status = TASK_STATUS_IGNORED) {
    status.started();
    co_return;
}

}  // namespace

ANYIO_TEST(start, waits_for_the_value_while_the_child_goes_on) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        const auto begin = anyio::current_time();
        const int port = co_await tg.start(serve, std::ref(log), 80);
        EXPECT_EQ(port, 80);
        EXPECT_EQ(anyio::current_time() - begin, 1s);
        log.push_back("started");
    });
    EXPECT_THAT(log, ElementsAre("ready", "started", "served"));
}

ANYIO_TEST(start, works_without_a_value) {
    bool reached = false;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        co_await tg.start(become_ready);
        reached = true;
    });
    EXPECT_TRUE(reached);
}

ANYIO_TEST(start, gives_a_default_value_where_none_is_told) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        const std::string value =
            co_await tg.start([](task_status<std::string> status) -> task<> {
                status.started();
                co_return;
            });
        EXPECT_EQ(value, "");
    });
}

ANYIO_TEST(start, converts_the_value_to_the_type_of_the_status) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        const std::string value =
            co_await tg.start([](task_status<std::string> status) -> task<> {
                status.started("a literal");
                co_return;
            });
        EXPECT_EQ(value, "a literal");
    });
}

ANYIO_TEST(start, gives_a_value_that_can_only_be_moved) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto value =
            co_await tg.start([](task_status<std::unique_ptr<int>> status) -> task<> {
                status.started(std::make_unique<int>(7));
                co_return;
            });
        EXPECT_EQ(*value, 7);
    });
}

ANYIO_TEST(start, takes_children_that_return_something) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        const int value =
            co_await tg.start([](task_status<int> status) -> task<std::string> {
                status.started(7);
                co_await sleep(1s);
                co_return "ignored";
            });
        EXPECT_EQ(value, 7);
    });
}

ANYIO_TEST(start, runs_the_caller_again_before_a_child_that_goes_on) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        co_await tg.start([&](task_status<> status) -> task<> {
            log.push_back("child");
            status.started();
            log.push_back("child still");
            co_await sleep(0s);
            log.push_back("child again");
        });
        log.push_back("caller");
    });
    EXPECT_THAT(log, ElementsAre("child", "child still", "caller", "child again"));
}

ANYIO_TEST(start, gives_the_value_of_a_child_that_has_ended_since) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        co_await tg.start(become_ready);
        notes log;
        const int port = co_await tg.start([](task_status<int> status) -> task<> {
            status.started(80);
            co_return;
        });
        EXPECT_EQ(port, 80);
        EXPECT_EQ(anyio::get_running_tasks().size(), 1u);
    });
}

ANYIO_TEST(start, copies_its_arguments_for_the_child) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto child = [&](const std::string& text, task_status<> status) -> task<> {
            status.started();
            co_await sleep(1s);
            log.push_back(text);
        };
        co_await tg.start(
            child, std::string("a temporary that is too long to be in place")
        );
    });
    EXPECT_THAT(log, ElementsAre("a temporary that is too long to be in place"));
}

ANYIO_TEST(start, takes_arguments_that_can_only_be_moved) {
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto child = [](std::unique_ptr<int> value, task_status<int> status) -> task<> {
            status.started(*value);
            co_return;
        };
        const int value = co_await tg.start(child, std::make_unique<int>(7));
        EXPECT_EQ(value, 7);
    });
}

namespace {

struct server {
    int port = 8080;

    task<> serve(task_status<int> status) {
        co_await sleep(0s);
        status.started(port);
    }

    task<> serve_const(task_status<int> status) const noexcept {
        status.started(port);
        co_return;
    }

    task<> operator()(task_status<int> status) & {
        status.started(++port);
        co_return;
    }
};

task<> become_ready_with_one(task_status<int> status) {
    status.started(1);
    co_return;
}

task<> become_ready_noexcept(int port, task_status<int> status) noexcept {
    status.started(port);
    co_return;
}

}  // namespace

ANYIO_TEST(start, takes_any_callable_that_tells_its_parameters) {
    server object;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        const int by_noexcept = co_await tg.start(become_ready_noexcept, 80);
        EXPECT_EQ(by_noexcept, 80);
        const int by_const_member = co_await tg.start(&server::serve_const, &object);
        EXPECT_EQ(by_const_member, 8080);
        const int by_reference = co_await tg.start(std::ref(object));
        EXPECT_EQ(by_reference, 8081);
        EXPECT_EQ(object.port, 8081);
        std::function<task<>(task_status<int>)> erased = become_ready_with_one;
        const int by_function = co_await tg.start(erased);
        EXPECT_EQ(by_function, 1);
        auto counter = [count = 0](task_status<int> status) mutable -> task<> {
            status.started(++count);
            co_return;
        };
        const int by_mutable_lambda = co_await tg.start(counter);
        EXPECT_EQ(by_mutable_lambda, 1);
        auto never_throws = [](task_status<int> status) noexcept -> task<> {
            status.started(2);
            co_return;
        };
        const int by_noexcept_lambda = co_await tg.start(never_throws);
        EXPECT_EQ(by_noexcept_lambda, 2);
    });
}

ANYIO_TEST(start, takes_a_member_function) {
    server object;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        const int port = co_await tg.start(&server::serve, &object);
        EXPECT_EQ(port, 8080);
    });
}

ANYIO_TEST(start, names_the_child_as_asked_for) {
    std::string name;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        co_await tg.start({.name = "server"}, [&](task_status<> status) -> task<> {
            name = anyio::get_current_task().name();
            status.started();
            co_return;
        });
    });
    EXPECT_EQ(name, "server");
}

ANYIO_TEST(start, is_the_childs_parent_until_it_is_ready_and_the_host_then) {
    std::uint64_t before = 0;
    std::uint64_t after = 0;
    std::uint64_t starter = 0;
    const std::uint64_t host = anyio::get_current_task().id();
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([&]() -> task<> {
            starter = anyio::get_current_task().id();
            co_await tg.start([&](task_status<> status) -> task<> {
                before = anyio::get_current_task().parent_id();
                status.started();
                after = anyio::get_current_task().parent_id();
                co_return;
            });
        });
    });
    EXPECT_EQ(before, starter);
    EXPECT_EQ(after, host);
    EXPECT_NE(before, after);
}

ANYIO_TEST(start, keeps_the_group_open_while_the_child_is_not_ready) {
    notes log;
    co_await with(create_task_group(), [&](task_group& outer) {
        outer.start_soon([&]() -> task<> {
            co_await with(create_task_group(), [&](task_group& inner) {
                outer.start_soon([&]() -> task<> {
                    co_await inner.start(serve, std::ref(log), 80);
                    log.push_back("started");
                });
                inner.start_soon([]() -> task<> { co_await sleep(0s); });
            });
            log.push_back("inner group");
        });
    });
    EXPECT_THAT(log, ElementsAre("ready", "started", "served", "inner group"));
}

ANYIO_TEST(start, works_from_a_child_while_the_group_waits) {
    notes log;
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([&]() -> task<> {
            co_await tg.start(serve, std::ref(log), 80);
            log.push_back("started");
        });
    });
    EXPECT_THAT(log, ElementsAre("ready", "started", "served"));
}

ANYIO_TEST(start, works_in_many_tasks_at_once) {
    const auto begin = anyio::current_time();
    notes log;
    int started = 0;
    co_await with(create_task_group(), [&](task_group& tg) {
        for (int i = 0; i < 10; ++i)
            tg.start_soon([&tg, &log, &started, i]() -> task<> {
                const int port = co_await tg.start(serve, std::ref(log), i);
                EXPECT_EQ(port, i);
                ++started;
            });
    });
    EXPECT_EQ(started, 10);
    EXPECT_EQ(log.size(), 20u);
    EXPECT_EQ(anyio::current_time() - begin, 2s);
}

ANYIO_TEST(start, may_be_nested) {
    notes log;
    auto inner = [&](task_status<int> status) -> task<> {
        log.push_back("inner");
        status.started(1);
        co_await sleep(1s);
    };
    auto outer = [&](task_status<int> status) -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            const int value = co_await tg.start(inner);
            log.push_back("outer");
            status.started(value + 1);
        });
        log.push_back("outer ends");
    };
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        const int value = co_await tg.start(outer);
        EXPECT_EQ(value, 2);
        log.push_back("body");
    });
    EXPECT_THAT(log, ElementsAre("inner", "outer", "body", "outer ends"));
}

// --- task_status

ANYIO_TEST(task_status, by_default_does_nothing) {
    notes log;
    co_await serve(log, 80);
    co_await with(create_task_group(), [&](task_group& tg) {
        tg.start_soon([&]() -> task<> {
            co_await serve(log, 81, TASK_STATUS_IGNORED);
        });
    });
    EXPECT_THAT(log, ElementsAre("ready", "served", "ready", "served"));
    task_status<> ignored;
    ignored.started();
    ignored.started();  // not even this
    task_status<int> copy = TASK_STATUS_IGNORED;
    copy.started(1);
}

ANYIO_TEST(task_status, may_be_told_by_a_helper) {
    notes log;
    auto child = [&](task_status<int> status) -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) {
            tg.start_soon([&log, status]() mutable -> task<> {
                co_await sleep(1s);
                log.push_back("helper");
                status.started(7);
            });
        });
        co_await sleep(1s);
        log.push_back("child");
    };
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        const int value = co_await tg.start(child);
        EXPECT_EQ(value, 7);
        log.push_back("body");
    });
    EXPECT_THAT(log, ElementsAre("helper", "body", "child"));
}

ANYIO_TEST(task_status, may_outlive_the_child_and_the_group) {
    task_status<int> kept;
    auto child = [&](task_status<int> status) -> task<> {
        kept = status;
        status.started(7);
        co_return;
    };
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        const int value = co_await tg.start(child);
        EXPECT_EQ(value, 7);
    });
    EXPECT_THROW(kept.started(8), anyio::usage_error);
    task_status<int> moved = std::move(kept);
    kept = TASK_STATUS_IGNORED;
    kept.started(9);
}

ANYIO_TEST(task_status, of_a_child_that_has_ended_does_nothing) {
    task_status<int> kept;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto ended =
            co_await as_outcome(tg.start([&](task_status<int> status) -> task<> {
                kept = status;
                co_return;
            }));
        EXPECT_TRUE(is_error<anyio::usage_error>(ended.error()));
        kept.started(1);
    });
    kept = TASK_STATUS_IGNORED;
}
