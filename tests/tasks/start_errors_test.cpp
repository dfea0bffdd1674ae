// SPDX-License-Identifier: MIT
#include <anyio/tasks/task_status.hpp>
#include "support/anyio_test.hpp"

#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using anyio::as_outcome;
using anyio::create_task_group;
using anyio::exception_group;
using anyio::sleep;
using anyio::task;
using anyio::task_group;
using anyio::task_status;
using anyio::with;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

task<> fail_before(anyio::delay after, task_status<int>) {
    co_await sleep(after);
    throw std::runtime_error("not ready");
}

task<> exit_before(task_status<int>) {
    co_await sleep(0s);
}

task<> fail_at_once_after(task_status<int> status) {
    status.started(7);
    throw std::runtime_error("after");
    co_return;
}

task<> serve(task_status<int> status) {
    status.started(7);
    co_await sleep(1s);
}

}  // namespace

ANYIO_TEST(start_errors, before_started_come_out_of_start_unwrapped) {
    bool went_on = false;
    const bool completed =
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            auto started = co_await as_outcome(tg.start(fail_before, 1s));
            EXPECT_TRUE(is_error<std::runtime_error>(started.error()));
            EXPECT_EQ(message_of(started.error()), "not ready");
            EXPECT_FALSE(tg.cancel_scope().cancel_called());
            co_await sleep(1s);
            went_on = true;
        });
    EXPECT_TRUE(completed);
    EXPECT_TRUE(went_on);
}

ANYIO_TEST(start_errors, before_started_can_be_caught) {
    int attempts = 0;
    int value = 0;
    auto flaky = [&](task_status<int> status) -> task<> {
        if (++attempts < 3)
            throw std::runtime_error("not yet");
        status.started(attempts);
        co_return;
    };
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        while (value == 0) {
            try {
                value = co_await tg.start(flaky);
            } catch (const std::runtime_error&) {
                continue;
            }
        }
    });
    EXPECT_EQ(value, 3);
}

ANYIO_TEST(start_errors, before_started_are_the_object_that_was_thrown) {
    const auto thrown = std::make_exception_ptr(std::runtime_error("oops"));
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto started = co_await as_outcome(tg.start([&](task_status<>) -> task<> {
            std::rethrow_exception(thrown);
            co_return;
        }));
        EXPECT_EQ(started.error(), thrown);
    });
}

ANYIO_TEST(start_errors, of_a_group_in_the_child_keep_that_group_and_get_no_other) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto started = co_await as_outcome(tg.start([](task_status<>) -> task<> {
            co_await with(create_task_group(), [](task_group& inner) {
                inner.start_soon([]() -> task<> {
                    throw std::runtime_error("inner");
                    co_return;
                });
            });
        }));
        const auto* group = anyio::caught_as<exception_group>(started.error());
        ANYIO_REQUIRE(group != nullptr);
        EXPECT_TRUE(is_error<std::runtime_error>(group->members()[0].error));
    });
}

ANYIO_TEST(start_errors, leave_the_other_children_alone) {
    std::vector<std::string> log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await sleep(2s);
            log.push_back("sibling");
        });
        auto failed = co_await as_outcome(tg.start(fail_before, 1s));
        EXPECT_TRUE(failed.has_error());
        auto exited = co_await as_outcome(tg.start(exit_before));
        EXPECT_TRUE(exited.has_error());
    });
    EXPECT_THAT(log, ElementsAre("sibling"));
}

ANYIO_TEST(start_errors, an_exit_without_started_is_told_in_this_sentence) {
    const bool completed =
        co_await with(create_task_group(), [](task_group& tg) -> task<> {
            auto started = co_await as_outcome(tg.start(exit_before));
            EXPECT_TRUE(is_error<anyio::usage_error>(started.error()));
            EXPECT_EQ(
                message_of(started.error()),
                "task_group::start: child exited without calling task_status.started()"
            );
            co_await sleep(1s);
        });
    EXPECT_TRUE(completed);
}

ANYIO_TEST(start_errors, started_twice_is_an_error_of_the_child) {
    auto ended =
        co_await as_outcome(with(create_task_group(), [](task_group& tg) -> task<> {
            const int value = co_await tg.start([](task_status<int> status) -> task<> {
                status.started(1);
                co_await sleep(1s);
                status.started(2);
            });
            EXPECT_EQ(value, 1);
        }));
    EXPECT_THAT(
        messages_of(ended.error()),
        ElementsAre(testing::AllOf(
            HasSubstr("task_status::started: called twice"), HasSubstr("ready once")
        ))
    );
}

ANYIO_TEST(start_errors, started_twice_leaves_everything_as_it_was) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        const int value = co_await tg.start([](task_status<int> status) -> task<> {
            auto copy = status;
            copy.started(1);
            EXPECT_THROW(status.started(2), anyio::usage_error);
            EXPECT_THROW(copy.started(3), anyio::usage_error);
            co_return;
        });
        EXPECT_EQ(value, 1);
    });
}

ANYIO_TEST(start_errors, after_started_go_to_the_group) {
    auto ended =
        co_await as_outcome(with(create_task_group(), [](task_group& tg) -> task<> {
            const int value = co_await tg.start([](task_status<int> status) -> task<> {
                status.started(7);
                co_await sleep(1s);
                throw std::runtime_error("after");
            });
            EXPECT_EQ(value, 7);
            co_await anyio::sleep_forever();
        }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("after"));
}

// The child fails before the starter has run again; the starter must not hang.
ANYIO_TEST(start_errors, at_once_after_started_go_to_the_group_too) {
    int value = 0;
    bool went_on = false;
    auto ended =
        co_await as_outcome(with(create_task_group(), [&](task_group& tg) -> task<> {
            value = co_await tg.start(fail_at_once_after);
            co_await sleep(1s);
            went_on = true;
        }));
    EXPECT_EQ(value, 7);
    EXPECT_FALSE(went_on);
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("after"));
}

ANYIO_TEST(
    start_errors, at_once_after_started_do_not_touch_a_starter_outside_the_group
) {
    std::vector<std::string> errors;
    bool went_on = false;
    co_await with(create_task_group(), [&](task_group& outer) {
        outer.start_soon([&]() -> task<> {
            auto ended = co_await as_outcome(with(
                create_task_group(),
                [&](task_group& inner) -> task<> {
                    outer.start_soon([&]() -> task<> {
                        const int value = co_await inner.start(fail_at_once_after);
                        EXPECT_EQ(value, 7);
                        co_await sleep(1s);
                        went_on = true;
                    });
                    co_await anyio::sleep_forever();
                }
            ));
            errors = messages_of(ended.error());
        });
    });
    EXPECT_TRUE(went_on);
    EXPECT_THAT(errors, ElementsAre("after"));
}

ANYIO_TEST(
    start_errors, before_started_of_a_starter_that_does_not_catch_fail_the_group
) {
    auto ended =
        co_await as_outcome(with(create_task_group(), [](task_group& tg) -> task<> {
            co_await tg.start(fail_before, 1s);
        }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("not ready"));
    const auto* group = anyio::caught_as<exception_group>(ended.error());
    ANYIO_REQUIRE(group != nullptr);
    EXPECT_EQ(group->size(), 1u);
}

ANYIO_TEST(start_errors, of_the_value_come_out_of_start) {
    struct fails {
        explicit fails(int) { throw std::runtime_error("no value"); }

        fails(fails&&) = default;
    };

    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto started =
            co_await as_outcome(tg.start([](task_status<fails> status) -> task<> {
                status.started(1);
                co_return;
            }));
        EXPECT_EQ(message_of(started.error()), "no value");
        EXPECT_FALSE(tg.cancel_scope().cancel_called());
    });
}

// The name of a child whose error start() took must not stick to the next error.
ANYIO_TEST(start_errors, do_not_lend_their_task_to_later_errors) {
    auto ended =
        co_await as_outcome(with(create_task_group(), [](task_group& tg) -> task<> {
            auto failed = co_await as_outcome(
                tg.start({.name = "the starting child"}, fail_before, 1s)
            );
            EXPECT_TRUE(failed.has_error());
            throw std::logic_error("body");
        }));
    const auto* group = anyio::caught_as<exception_group>(ended.error());
    ANYIO_REQUIRE(group != nullptr);
    EXPECT_NE(group->members()[0].task, "the starting child");
    EXPECT_EQ(group->members()[0].task, anyio::get_current_task().name());
}

ANYIO_TEST(start_errors, leave_no_scope_behind) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        for (int i = 0; i < 3; ++i) {
            auto failed = co_await as_outcome(tg.start(fail_before, 1s));
            auto exited = co_await as_outcome(tg.start(exit_before));
            const int value = co_await tg.start(serve);
            EXPECT_EQ(value, 7);
        }
        co_await sleep(2s);
        EXPECT_EQ(anyio::get_running_tasks().size(), 1u);
        EXPECT_EQ(tg.cancel_scope().status().first_child(), nullptr);
    });
}
