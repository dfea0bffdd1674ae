// SPDX-License-Identifier: MIT
#include <anyio/basics/closings.hpp>

#include "support/anyio_test.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

// What is closed by awaiting it, and the closing fails: also by a call that throws before
// there is anything to await.

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;

namespace {

using notes = std::vector<std::string>;

enum class failure { none, of_call, of_await };

task<> await_and_fail(std::string text) {
    co_await sleep(1s);
    throw std::runtime_error(text);
}

task<> await_and_return() {
    co_await shielded(sleep(1s));
}

/// A resource whose aclose() is a plain function.
class door {
public:
    door(notes& log, std::string name, failure how)
        : log_(&log), name_(std::move(name)), how_(how) {}

    task<> aclose() {
        log_->push_back("closing " + name_);
        if (how_ == failure::of_call)
            throw std::runtime_error(name_);
        return how_ == failure::of_await ? await_and_fail(name_) : await_and_return();
    }

private:
    notes* log_;
    std::string name_;
    failure how_;
};

/// A manager of the same kind.
class room {
public:
    room(notes& log, std::string name, failure how)
        : door_(log, std::move(name), how) {}

    task<> aenter() { co_return; }

    task<> aexit(body_end) { return door_.aclose(); }

private:
    door door_;
};

task<> fail(std::string text) {
    throw std::runtime_error(text);
    co_return;
}

}  // namespace

ANYIO_TEST(closings, of_a_stack_all_have_their_turn_whatever_each_does) {
    notes log;
    auto ended = co_await as_outcome(with(exit_stack(), [&](exit_stack& stack) {
        stack.push(door(log, "a", failure::of_await));
        stack.push(door(log, "b", failure::none));
        stack.push(door(log, "c", failure::of_call));
        stack.callback([&]() -> task<> {
            log.push_back("calling d");
            throw std::runtime_error("d");
        });
    }));
    EXPECT_THAT(log, ElementsAre("calling d", "closing c", "closing b", "closing a"));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("d", "c", "a"));
    EXPECT_TRUE(is_error<exception_group>(ended.error()));
}

ANYIO_TEST(closings, of_a_stack_one_error_comes_out_as_it_is) {
    notes log;
    auto ended = co_await as_outcome(with(exit_stack(), [&](exit_stack& stack) {
        stack.push(door(log, "a", failure::none));
        stack.push(door(log, "b", failure::of_call));
    }));
    EXPECT_THAT(log, ElementsAre("closing b", "closing a"));
    EXPECT_TRUE(is_error<std::runtime_error>(ended.error()));
    EXPECT_EQ(message_of(ended.error()), "b");
}

ANYIO_TEST(closings, do_not_replace_the_error_of_the_body) {
    for (const failure how : {failure::of_call, failure::of_await}) {
        notes log;
        auto stacked =
            co_await as_outcome(with(exit_stack(), [&](exit_stack& stack) -> task<> {
                stack.push(door(log, "a", how));
                co_await fail("body");
            }));
        EXPECT_EQ(message_of(stacked.error()), "body");
        auto closed = co_await as_outcome(
            with(door(log, "b", how), [&](door&) -> task<> { co_await fail("body"); })
        );
        EXPECT_EQ(message_of(closed.error()), "body");
        auto left = co_await as_outcome(with(room(log, "c", how), [&](room&) -> task<> {
            co_await fail("body");
        }));
        EXPECT_EQ(message_of(left.error()), "body");
        EXPECT_THAT(log, ElementsAre("closing a", "closing b", "closing c"));
    }
}

ANYIO_TEST(closings, of_one_with_that_fail_are_one_group) {
    notes log;
    auto ended = co_await as_outcome(with(
        door(log, "a", failure::of_call),
        room(log, "b", failure::of_await),
        door(log, "c", failure::of_call),
        [&](door&, room&, door&) -> task<> { co_return; }
    ));
    EXPECT_THAT(log, ElementsAre("closing c", "closing b", "closing a"));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("c", "b", "a"));
    const auto* group = caught_as<exception_group>(ended.error());
    EXPECT_EQ(group ? group->members().size() : 0, 3u) << "flat";
}

ANYIO_TEST(closings, that_fail_win_over_a_cancellation) {
    notes log;
    auto ended = co_await as_outcome(with(move_on_after(1s), [&]() -> task<> {
        co_await with(door(log, "a", failure::of_call), [](door&) -> task<> {
            co_await sleep_forever();
        });
    }));
    EXPECT_EQ(message_of(ended.error()), "a");
}

ANYIO_TEST(closings, of_both_sides_of_a_stapled_stream_are_tried) {
    struct side {
        side(notes& l, std::string n, failure h) : inner(l, std::move(n), h) {}

        task<> aclose() { return inner.aclose(); }

        task<> send(byte_view) { co_return; }

        task<> send_eof() { co_return; }

        task<bytes> receive(std::size_t = 1) { co_return bytes(); }

        task<std::optional<bytes>> next(std::size_t = 1) { co_return std::nullopt; }

        task<std::size_t> receive_some(byte_span) { co_return 0; }

        door inner;
    };

    notes log;
    stapled_byte_stream<side, side> both(
        side(log, "out", failure::of_call), side(log, "in", failure::of_call)
    );
    auto ended = co_await as_outcome(both.aclose());
    EXPECT_THAT(log, ElementsAre("closing out", "closing in"));
    EXPECT_THAT(messages_of(ended.error()), ElementsAre("out", "in"));
}
