// SPDX-License-Identifier: MIT
#include <anyio/cancellation/cancel_reason.hpp>

#include "support/anyio_test.hpp"

#include <optional>
#include <stdexcept>
#include <string>

using anyio::cancel_reason;
using anyio::cancel_scope;
using anyio::create_task_group;
using anyio::current_cancel_reason;
using anyio::move_on_after;
using anyio::sleep;
using anyio::sleep_forever;
using anyio::task;
using anyio::task_group;
using anyio::with;
using testing::HasSubstr;
using namespace std::chrono_literals;

namespace {

/// Asks while its frame is destroyed.
class asks_at_the_end {
public:
    explicit asks_at_the_end(std::optional<cancel_reason>& answer) : answer_(&answer) {}

    asks_at_the_end(const asks_at_the_end&) = delete;
    asks_at_the_end& operator=(const asks_at_the_end&) = delete;

    ~asks_at_the_end() { *answer_ = current_cancel_reason(); }

private:
    std::optional<cancel_reason>* answer_;
};

task<> wait_and_ask(std::optional<cancel_reason>& answer) {
    const asks_at_the_end asks(answer);
    co_await sleep_forever();
}

task<> connect_to_database() {
    co_await sleep(1s);
    throw std::runtime_error("no route to host");
}

}  // namespace

ANYIO_TEST(cancel_reason, is_empty_where_nothing_is_cancelled) {
    EXPECT_FALSE(current_cancel_reason());
    cancel_scope scope;
    EXPECT_FALSE(scope.reason());
    co_await with(scope, [&]() -> task<> {
        EXPECT_FALSE(current_cancel_reason());
        co_await sleep(0s);
    });
    EXPECT_FALSE(scope.reason());
}

TEST(cancel_reason_outside_of_a_loop, is_empty) {
    EXPECT_FALSE(current_cancel_reason());
}

ANYIO_TEST(cancel_reason, names_the_call_of_cancel) {
    std::optional<cancel_reason> asked;
    cancel_scope scope;
    const auto here = std::source_location::current();
    co_await with(scope, [&]() -> task<> {
        scope.cancel("shutting down");
        scope.cancel("too late");
        co_await wait_and_ask(asked);
    });
    auto check = [&](const std::optional<cancel_reason>& reason) {
        ASSERT_TRUE(reason.has_value());
        EXPECT_FALSE(reason->by_deadline);
        EXPECT_EQ(reason->text, "shutting down");
        EXPECT_EQ(reason->where.line(), here.line() + 2);
        EXPECT_EQ(reason->task_id, anyio::get_current_task().id());
        EXPECT_THAT(reason->str(), HasSubstr("cancel_reason_test.cpp:"));
        EXPECT_THAT(reason->str(), HasSubstr(": shutting down"));
    };
    check(asked);
    check(scope.reason());
    EXPECT_FALSE(current_cancel_reason());
}

ANYIO_TEST(cancel_reason, tells_a_deadline_from_a_call) {
    std::optional<cancel_reason> asked;
    co_await with(move_on_after(1s), [&]() -> task<> { co_await wait_and_ask(asked); });
    ANYIO_REQUIRE(asked.has_value());
    EXPECT_TRUE(asked->by_deadline);
    EXPECT_EQ(asked->task_id, 0u);
    EXPECT_EQ(asked->str(), "cancelled: its deadline has passed");
}

ANYIO_TEST(cancel_reason, names_the_task_that_failed_and_its_error) {
    std::optional<cancel_reason> asked;
    auto ended = co_await anyio::as_outcome(with(
        create_task_group(),
        [&](task_group& tg) -> task<> {
            tg.start_soon({.name = "database"}, connect_to_database);
            tg.start_soon(wait_and_ask, std::ref(asked));
            co_await sleep_forever();
        }
    ));
    EXPECT_TRUE(ended.has_error());
    ANYIO_REQUIRE(asked.has_value());
    EXPECT_EQ(
        asked->text, "task \"database\" failed: std::runtime_error: no route to host"
    );
    EXPECT_NE(asked->where.line(), 0u);
    EXPECT_NE(asked->task_id, anyio::get_current_task().id());
    EXPECT_NE(asked->task_id, 0u);
}

ANYIO_TEST(cancel_reason, names_the_error_inside_a_group) {
    std::optional<cancel_reason> asked;
    auto ended = co_await anyio::as_outcome(with(
        create_task_group(),
        [&](task_group& tg) -> task<> {
            tg.start_soon({.name = "outer"}, []() -> task<> {
                co_await with(create_task_group(), [](task_group& inner) {
                    inner.start_soon(connect_to_database);
                });
            });
            co_await wait_and_ask(asked);
        }
    ));
    ANYIO_REQUIRE(asked.has_value());
    EXPECT_EQ(
        asked->text, "task \"outer\" failed: std::runtime_error: no route to host"
    );
}

ANYIO_TEST(cancel_reason, names_the_body_that_failed) {
    std::optional<cancel_reason> asked;
    auto ended = co_await anyio::as_outcome(with(
        create_task_group(),
        [&](task_group& tg) -> task<> {
            tg.start_soon(wait_and_ask, std::ref(asked));
            co_await sleep(1s);
            throw std::runtime_error("bad body");
        }
    ));
    ANYIO_REQUIRE(asked.has_value());
    EXPECT_EQ(
        asked->text, "the body of the task group failed: std::runtime_error: bad body"
    );
}

ANYIO_TEST(cancel_reason, is_that_of_the_innermost_cancelled_scope) {
    std::optional<cancel_reason> asked;
    cancel_scope outer;
    cancel_scope inner;
    co_await with(outer, [&]() -> task<> {
        co_await with(inner, [&]() -> task<> {
            outer.cancel("outer");
            inner.cancel("inner");
            co_await wait_and_ask(asked);
        });
    });
    ANYIO_REQUIRE(asked.has_value());
    EXPECT_EQ(asked->text, "inner");
}

ANYIO_TEST(cancel_reason, does_not_pass_a_shield) {
    cancel_scope outer;
    co_await with(outer, [&]() -> task<> {
        outer.cancel("outer");
        co_await with(anyio::shield(), [&]() -> task<> {
            EXPECT_FALSE(current_cancel_reason());
            co_return;
        });
    });
}

ANYIO_TEST(cancel_reason, is_told_by_task_cancelled) {
    co_await with(create_task_group(), [](task_group& tg) -> task<> {
        auto by_hand = tg.create_task(sleep_forever);
        by_hand.cancel("not needed");
        auto by_deadline = tg.create_task([]() -> task<> {
            co_await with(anyio::fail_after(1s), []() -> task<> {
                co_await sleep_forever();
            });
        });
        co_await by_hand.wait();
        auto ended = co_await anyio::as_outcome(by_hand);
        EXPECT_TRUE(is_error<anyio::task_cancelled>(ended.error()));
        EXPECT_THAT(message_of(ended.error()), HasSubstr("was cancelled by task "));
        EXPECT_THAT(message_of(ended.error()), HasSubstr(": not needed"));
        by_deadline.cancel();
    });
    std::optional<anyio::task_handle<>> kept;
    auto failed =
        co_await anyio::as_outcome(with(create_task_group(), [&](task_group& tg) {
            kept.emplace(tg.create_task(sleep_forever));
            tg.start_soon({.name = "database"}, connect_to_database);
        }));
    EXPECT_TRUE(failed.has_error());
    EXPECT_THAT(
        message_thrown_by<anyio::task_cancelled>([&] { kept->result(); }),
        HasSubstr("task \"database\" failed: std::runtime_error: no route to host")
    );
    const bool in_time = co_await with(move_on_after(1s), [&]() -> task<> {
        co_await with(create_task_group(), [&](task_group& tg) {
            kept.emplace(tg.create_task(sleep_forever));
        });
    });
    EXPECT_FALSE(in_time);
    EXPECT_THAT(
        message_thrown_by<anyio::task_cancelled>([&] { kept->result(); }),
        HasSubstr("its deadline has passed")
    );
}
