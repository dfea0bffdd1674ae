// SPDX-License-Identifier: MIT
#include <anyio/tasks/task_handle.hpp>

#include "support/anyio_test.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using anyio::as_outcome;
using anyio::create_task_group;
using anyio::sleep;
using anyio::task;
using anyio::task_group;
using anyio::task_handle;
using anyio::with;
using testing::ElementsAre;
using testing::HasSubstr;
using status = anyio::task_handle_status;

namespace {

task<int> seven(anyio::delay after) {
    co_await sleep(after);
    co_return 7;
}

task<int> fail(anyio::delay after) {
    co_await sleep(after);
    throw std::runtime_error("oops");
}

}  // namespace

ANYIO_TEST(task_handle, gives_the_value_of_its_task) {
    const auto begin = anyio::current_time();
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto handle = tg.create_task(seven, 1s);
        const int value = co_await handle;
        EXPECT_EQ(value, 7);
        EXPECT_EQ(anyio::current_time() - begin, 1s);
        EXPECT_EQ(handle.result(), 7);
        const int again = co_await handle;
        EXPECT_EQ(again, 7);
    });
}

ANYIO_TEST(task_handle, gives_a_reference_to_a_value_that_it_keeps) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto handle = tg.create_task([]() -> task<std::unique_ptr<int>> {
            co_return std::make_unique<int>(7);
        });
        const auto& value = co_await handle;
        EXPECT_EQ(*value, 7);
        EXPECT_EQ(&value, &handle.result());
    });
}

ANYIO_TEST(task_handle, gives_the_reference_that_its_task_returns) {
    int object = 7;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto handle = tg.create_task([&]() -> task<int&> { co_return object; });
        int& value = co_await handle;
        EXPECT_EQ(&value, &object);
        EXPECT_EQ(&handle.result(), &object);
    });
}

ANYIO_TEST(task_handle, of_a_task_without_a_value_can_be_awaited_too) {
    std::vector<std::string> log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        task_handle<> handle = tg.create_task([&]() -> task<> {
            co_await sleep(1s);
            log.push_back("task");
        });
        co_await handle;
        log.push_back("body");
        handle.result();
    });
    EXPECT_THAT(log, ElementsAre("task", "body"));
}

ANYIO_TEST(task_handle, tells_how_its_task_is_doing) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto finished = tg.create_task(seven, 1s);
        auto cancelled = tg.create_task([]() -> task<> {
            auto slept = co_await as_outcome(anyio::sleep_forever());
            co_await anyio::shielded(sleep(1s));
            co_await std::move(slept).unwrap();
        });
        EXPECT_EQ(finished.status(), status::pending);
        EXPECT_EQ(cancelled.status(), status::pending);
        co_await sleep(500ms);
        EXPECT_EQ(finished.status(), status::pending);
        cancelled.cancel();
        EXPECT_EQ(cancelled.status(), status::cancelling);
        co_await sleep(600ms);
        EXPECT_EQ(finished.status(), status::finished);
        EXPECT_EQ(cancelled.status(), status::cancelling);
        co_await sleep(1s);
        EXPECT_EQ(cancelled.status(), status::cancelled);
    });
}

ANYIO_TEST(task_handle, tells_that_its_task_failed) {
    std::optional<task_handle<int>> handle;
    auto ended = co_await as_outcome(with(create_task_group(), [&](task_group& tg) {
        handle.emplace(tg.create_task(fail, 1s));
        EXPECT_EQ(handle->status(), status::pending);
    }));
    EXPECT_EQ(handle->status(), status::failed);
}

ANYIO_TEST(task_handle, of_a_failed_task_throws_task_failed_with_the_cause) {
    std::exception_ptr thrown;
    std::exception_ptr seen;
    auto ended =
        co_await as_outcome(with(create_task_group(), [&](task_group& tg) -> task<> {
            auto handle = tg.create_task({.name = "the bad one"}, fail, 1s);
            auto awaited = co_await as_outcome(handle);
            EXPECT_FALSE(awaited.has_value());
            // The body has been cancelled by the failure; look without waiting.
            seen = handle.exception();
            try {
                (void)handle.result();
            } catch (...) {
                thrown = std::current_exception();
            }
        }));
    EXPECT_TRUE(is_error<anyio::task_failed>(thrown));
    EXPECT_FALSE(is_error<anyio::task_cancelled>(thrown));
    EXPECT_THAT(message_of(thrown), HasSubstr("task \"the bad one\""));
    EXPECT_THAT(message_of(thrown), HasSubstr("std::runtime_error: oops"));
    EXPECT_EQ(message_of(anyio::cause_of(thrown)), "oops");
    EXPECT_EQ(message_of(seen), "oops");
    EXPECT_EQ(anyio::cause_of(thrown), seen);
}

ANYIO_TEST(task_handle, awaited_by_a_task_of_another_group_throws_what_happened) {
    std::vector<std::string> inner_errors;
    std::string seen;
    co_await with(create_task_group(), [&](task_group& outer) {
        outer.start_soon([&]() -> task<> {
            auto ended = co_await as_outcome(with(
                create_task_group(),
                [&](task_group& inner) -> task<> {
                    auto handle = inner.create_task(fail, 1s);
                    co_await outer.start([&](anyio::task_status<> ready) -> task<> {
                        ready.started();
                        auto awaited = co_await as_outcome(handle);
                        seen = message_of(awaited.error());
                        EXPECT_EQ(message_of(anyio::cause_of(awaited.error())), "oops");
                    });
                    co_await anyio::shielded(sleep(2s));
                }
            ));
            inner_errors = messages_of(ended.error());
        });
    });
    EXPECT_THAT(seen, HasSubstr("failed"));
    EXPECT_THAT(
        inner_errors, ElementsAre("oops")
    );  // caught there, and here all the same
}

ANYIO_TEST(task_handle, that_throws_leaves_the_error_in_the_group_too) {
    auto ended =
        co_await as_outcome(with(create_task_group(), [](task_group& tg) -> task<> {
            auto handle = tg.create_task(fail, 1s);
            co_await with(anyio::shield(), [&]() -> task<> {
                try {
                    (void)co_await handle;
                    ADD_FAILURE() << "did not throw";
                } catch (const anyio::task_failed&) {
                    co_return;
                }
            });
        }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("oops"));
}

ANYIO_TEST(task_handle, refuses_a_result_that_is_not_there_yet) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto handle = tg.create_task({.name = "slow"}, seven, 1s);
        for (int i = 0; i < 2; ++i) {
            EXPECT_THROW((void)handle.result(), anyio::task_not_finished);
            EXPECT_THROW((void)handle.exception(), anyio::task_not_finished);
            co_await sleep(0s);
        }
        try {
            (void)handle.result();
        } catch (const anyio::task_not_finished& e) {
            EXPECT_THAT(e.what(), HasSubstr("task \"slow\": has not finished"));
            EXPECT_THAT(e.what(), HasSubstr("co_await the handle"));
        }
        handle.cancel();
        EXPECT_THROW((void)handle.result(), anyio::task_cancelled);
        EXPECT_THROW((void)handle.exception(), anyio::task_cancelled);
    });
}

ANYIO_TEST(task_handle, of_a_task_that_returned_has_no_exception) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto handle = tg.create_task(seven, 0s);
        co_await handle.wait();
        EXPECT_EQ(handle.exception(), nullptr);
    });
}

ANYIO_TEST(task_handle, can_be_waited_for_without_the_result) {
    auto ended =
        co_await as_outcome(with(create_task_group(), [](task_group& tg) -> task<> {
            auto cancelled = tg.create_task(seven, 1h);
            cancelled.cancel();
            co_await cancelled.wait();
            EXPECT_EQ(cancelled.status(), status::cancelled);
            auto failed = tg.create_task(fail, 1s);
            co_await anyio::shielded(failed.wait());
            EXPECT_EQ(failed.status(), status::failed);
        }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("oops"));
}

ANYIO_TEST(task_handle, wakes_everybody_who_waits_in_order) {
    std::vector<std::string> woken;
    co_await with(create_task_group(), [&](task_group& tg) {
        auto handle = std::make_shared<task_handle<int>>(tg.create_task(seven, 1s));
        auto waiter =
            [&woken](std::shared_ptr<task_handle<int>> h, std::string name) -> task<> {
            const int value = co_await *h;
            woken.push_back(name + std::to_string(value));
        };
        for (const char* name : {"a", "b", "c"})
            tg.start_soon(waiter, handle, name);
    });
    EXPECT_THAT(woken, ElementsAre("a7", "b7", "c7"));
}

ANYIO_TEST(task_handle, outlives_its_group) {
    std::optional<task_handle<int>> handle;
    co_await with(create_task_group(), [&](task_group& tg) {
        handle.emplace(tg.create_task({.name = "gone"}, seven, 1s));
    });
    EXPECT_EQ(handle->status(), status::finished);
    EXPECT_EQ(handle->result(), 7);
    EXPECT_EQ(handle->name(), "gone");
    const int value = co_await *handle;
    EXPECT_EQ(value, 7);
    handle->cancel();  // nothing to cancel
    EXPECT_EQ(handle->status(), status::finished);
}

TEST(task_handle, outlives_the_run) {
    std::optional<task_handle<std::string>> handle;
    anyio::testing::virtual_clock clock;
    anyio::run({.clock = &clock}, [&]() -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) {
            handle.emplace(tg.create_task([]() -> task<std::string> {
                co_await sleep(1s);
                co_return "a value that is too long to be kept in place";
            }));
        });
    });
    EXPECT_EQ(handle->status(), status::finished);
    EXPECT_EQ(handle->result(), "a value that is too long to be kept in place");
    EXPECT_EQ(handle->exception(), nullptr);
    EXPECT_NE(handle->name(), "");
    handle->cancel();
}

ANYIO_TEST(task_handle, may_be_dropped) {
    std::vector<std::string> log;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        {
            auto handle = tg.create_task([&]() -> task<std::string> {
                co_await sleep(1s);
                log.push_back("task");
                co_return "nobody wants it";
            });
        }
        tg.create_task([&]() -> task<> {
            co_await sleep(2s);
            log.push_back("another");
        });
        co_await sleep(0s);
    });
    EXPECT_THAT(log, ElementsAre("task", "another"));
}

ANYIO_TEST(task_handle, that_is_dropped_keeps_the_errors_in_the_group) {
    auto ended = co_await as_outcome(with(create_task_group(), [](task_group& tg) {
        tg.create_task(fail, 1s);
    }));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("oops"));
}

ANYIO_TEST(task_handle, can_be_moved) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        std::vector<task_handle<int>> handles;
        for (int i = 0; i < 20; ++i)
            handles.push_back(tg.create_task(
                [](int value) -> task<int> {
                    co_await sleep(0s);
                    co_return value;
                },
                i
            ));
        std::swap(handles.front(), handles.back());
        int sum = 0;
        for (auto& handle : handles) {
            const int value = co_await handle;
            sum += value;
        }
        EXPECT_EQ(sum, 190);
        EXPECT_EQ(handles.front().result(), 19);
        handles.front() = std::move(handles[1]);
        EXPECT_EQ(handles.front().result(), 1);
    });
}

ANYIO_TEST(task_handle, has_the_name_of_the_task) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto named = tg.create_task({.name = "x"}, seven, 0s);
        auto unnamed = tg.create_task({.name = ""}, seven, 0s);
        auto by_default = tg.create_task(seven, 0s);
        EXPECT_EQ(named.name(), "x");
        co_await by_default.wait();
        EXPECT_EQ(named.name(), "x");
        EXPECT_EQ(unnamed.name(), "");
        EXPECT_THAT(by_default.name(), testing::EndsWith("seven"));
    });
}

// A reference into a handle that has gone would dangle.
ANYIO_TEST(task_handle, that_is_a_temporary_gives_the_value_itself) {
    auto make = []() -> task<std::unique_ptr<int>> {
        co_await sleep(1s);
        co_return std::make_unique<int>(7);
    };
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        const auto& extended = co_await tg.create_task(make);
        static_assert(std::is_same_v<decltype(extended), const std::unique_ptr<int>&>);
        EXPECT_EQ(*extended, 7);
        auto handle = tg.create_task(make);
        const std::unique_ptr<int> taken = co_await std::move(handle);
        EXPECT_EQ(*taken, 7);
    });
}

ANYIO_TEST(task_handle, may_be_awaited_where_it_is_made) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        const int value = co_await tg.create_task(seven, 1s);
        EXPECT_EQ(value, 7);
        const auto late = co_await anyio::move_on_after(1s, tg.create_task(seven, 2s));
        EXPECT_FALSE(late.has_value());
    });
    EXPECT_EQ(anyio::current_time(), anyio::time_point(3s));
}
