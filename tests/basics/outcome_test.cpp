// SPDX-License-Identifier: MIT
#include <anyio/basics/outcome.hpp>

#include "support/anyio_test.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using anyio::as_outcome;
using anyio::outcome;
using anyio::sleep;
using anyio::task;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

task<int> seven(anyio::delay after) {
    co_await sleep(after);
    co_return 7;
}

task<int> fail(bool late) {
    if (late)
        co_await sleep(1s);
    throw std::runtime_error("oops");
}

}  // namespace

ANYIO_TEST(outcome, has_the_value) {
    outcome<int> ended = co_await as_outcome(seven(1s));
    EXPECT_TRUE(ended.has_value());
    EXPECT_TRUE(static_cast<bool>(ended));
    EXPECT_FALSE(ended.has_error());
    EXPECT_FALSE(ended.is_cancelled());
    EXPECT_EQ(ended.error(), nullptr);
    EXPECT_EQ(std::as_const(ended).value(), 7);
    const int value = co_await std::move(ended).unwrap();
    EXPECT_EQ(value, 7);
}

ANYIO_TEST(outcome, has_a_value_of_any_kind) {
    auto text = co_await as_outcome([]() -> task<std::unique_ptr<int>> {
        co_return std::make_unique<int>(7);
    }());
    const std::unique_ptr<int> taken = std::move(text).value();
    EXPECT_EQ(*taken, 7);
    outcome<void> nothing = co_await as_outcome(sleep(0s));
    EXPECT_TRUE(nothing.has_value());
    std::move(nothing).value();
}

ANYIO_TEST(outcome, has_the_error) {
    for (const bool late : {false, true}) {
        outcome<int> ended = co_await as_outcome(fail(late));
        EXPECT_TRUE(ended.has_error());
        EXPECT_FALSE(ended.has_value());
        EXPECT_FALSE(ended.is_cancelled());
        EXPECT_EQ(message_of(ended.error()), "oops");
        EXPECT_THROW((void)std::as_const(ended).value(), std::runtime_error);
        auto unwrapped = co_await as_outcome(std::move(ended).unwrap());
        EXPECT_EQ(message_of(unwrapped.error()), "oops");
    }
}

ANYIO_TEST(outcome, may_be_a_cancellation) {
    std::vector<std::string> log;
    const bool completed = co_await with(anyio::move_on_after(1s), [&]() -> task<> {
        outcome<int> ended = co_await as_outcome(seven(1h));
        EXPECT_TRUE(ended.is_cancelled());
        EXPECT_FALSE(ended.has_value());
        EXPECT_FALSE(ended.has_error());
        log.push_back("went on");
        (void)co_await std::move(ended).unwrap();
        log.push_back("not reached");
    });
    EXPECT_FALSE(completed);
    EXPECT_THAT(log, ElementsAre("went on"));
}

ANYIO_TEST(outcome, of_a_cancellation_does_not_undo_it) {
    int cut = 0;
    const bool completed = co_await with(anyio::move_on_after(1s), [&]() -> task<> {
        for (int i = 0; i < 3; ++i) {
            outcome<void> ended = co_await as_outcome(sleep(1h));
            if (ended.is_cancelled())
                ++cut;
        }
        co_await sleep(0s);
        ADD_FAILURE() << "not cancelled any more";
    });
    EXPECT_FALSE(completed);
    EXPECT_EQ(cut, 3);
}

ANYIO_TEST(outcome, of_a_cancellation_that_is_kept_lets_the_block_complete) {
    const bool completed = co_await with(anyio::move_on_after(1s), []() -> task<> {
        outcome<void> ended = co_await as_outcome(sleep(1h));
        EXPECT_TRUE(ended.is_cancelled());
    });
    EXPECT_TRUE(completed);
}

ANYIO_TEST(outcome, of_a_cancellation_has_no_value_to_take) {
    std::exception_ptr error;
    co_await with(anyio::move_on_after(1s), [&]() -> task<> {
        outcome<void> ended = co_await as_outcome(sleep(1h));
        try {
            std::move(ended).value();
        } catch (...) {
            error = std::current_exception();
        }
    });
    EXPECT_TRUE(is_error<anyio::usage_error>(error));
    EXPECT_THAT(message_of(error), HasSubstr("co_await std::move(o).unwrap()"));
}

ANYIO_TEST(outcome, unwinds_what_was_awaited_first) {
    std::vector<std::string> log;

    struct guard {
        std::vector<std::string>& log;

        ~guard() { log.push_back("unwound"); }
    };

    co_await with(anyio::move_on_after(1s), [&]() -> task<> {
        auto ended = co_await as_outcome([&]() -> task<> {
            const guard on_exit{log};
            co_await anyio::sleep_forever();
        }());
        log.push_back("outcome");
    });
    EXPECT_THAT(log, ElementsAre("unwound", "outcome"));
}

ANYIO_TEST(outcome, takes_anything_that_can_be_awaited) {
    anyio::event ready;
    ready.set();
    auto of_operation = co_await as_outcome(ready.wait());
    EXPECT_TRUE(of_operation.has_value());
    auto of_block = co_await as_outcome(with(
        anyio::create_task_group(), [](anyio::task_group&) -> task<int> { co_return 7; }
    ));
    ANYIO_REQUIRE(of_block.has_value());
    EXPECT_EQ(std::as_const(of_block).value(), 7);
    auto of_timeout = co_await as_outcome(anyio::fail_after(1s, seven(1h)));
    EXPECT_TRUE(is_error<anyio::timeout_error>(of_timeout.error()));
    auto of_outcome = co_await as_outcome(as_outcome(fail(true)));
    ANYIO_REQUIRE(of_outcome.has_value());
    EXPECT_TRUE(std::as_const(of_outcome).value().has_error());
    task<int> kept = seven(0s);
    auto of_variable = co_await as_outcome(std::move(kept));
    EXPECT_TRUE(of_variable.has_value());
}

ANYIO_TEST(outcome, of_a_scope_of_its_own_is_not_cancelled) {
    auto ended = co_await as_outcome(anyio::move_on_after(1s, sleep(1h)));
    ANYIO_REQUIRE(ended.has_value());
    EXPECT_FALSE(std::as_const(ended).value());
}

ANYIO_TEST(outcome, can_be_made_by_hand) {
    const outcome<int> value(std::in_place, 7);
    EXPECT_EQ(value.value(), 7);
    const outcome<int> error(std::make_exception_ptr(std::runtime_error("oops")));
    EXPECT_TRUE(error.has_error());
    const outcome<int> cancelled;
    EXPECT_TRUE(cancelled.is_cancelled());
    outcome<std::string> text(std::in_place, 3u, 'x');
    outcome<std::string> moved = std::move(text);
    const std::string taken = co_await std::move(moved).unwrap();
    EXPECT_EQ(taken, "xxx");
}
