// SPDX-License-Identifier: MIT
/// @file
/// What comes out of a buffer uses up the step's budget as what comes from outside does.

#include "support/budget.hpp"

#include <anyio/streams/buffered.hpp>
#include <anyio/streams/memory.hpp>
#include <anyio/streams/stapled.hpp>
#include <anyio/streams/text.hpp>
#include <anyio/testing/memory_stream.hpp>

using namespace anyio;
using support::expect_lets_others_run;

namespace {

using source = anyio::testing::memory_stream;

/// A stream in which so much lies ready.
task<source> filled_with(std::string text) {
    auto both = anyio::testing::memory_stream_pair();
    co_await both.second.send(text);
    co_await both.second.send_eof();
    co_return std::move(both.first);
}

task<buffered_byte_stream<source>> buffered_lines() {
    auto below = co_await filled_with("x");
    buffered_byte_stream<source> stream(std::move(below));
    std::string lines;
    for (int i = 0; i < 20'000; ++i)
        lines += "a\n";
    stream.feed_data(lines);
    co_return std::move(stream);
}

}  // namespace

ANYIO_TEST(stream_budget, a_buffer_full_of_lines_does_not_keep_others_waiting) {
    auto stream = co_await buffered_lines();
    co_await expect_lets_others_run(
        [&]() -> task<> { (void)co_await stream.receive_until("\n", 100); },
        "receive_until"
    );
    co_await expect_lets_others_run(
        [&]() -> task<> { (void)co_await stream.receive_exactly(2); }, "receive_exactly"
    );
    co_await expect_lets_others_run(
        [&]() -> task<> { (void)co_await stream.receive_exactly(0); },
        "nothing, exactly"
    );
    co_await expect_lets_others_run(
        [&]() -> task<> { (void)co_await stream.receive(1); }, "receive"
    );
    co_await expect_lets_others_run(
        [&]() -> task<> { (void)co_await stream.next(1); }, "next"
    );
    co_await expect_lets_others_run(
        [&]() -> task<> {
            std::byte one;
            (void)co_await stream.receive_some(byte_span(&one, 1));
        },
        "receive_some"
    );
}

ANYIO_TEST(stream_budget, an_end_that_was_seen_does_not_keep_others_waiting) {
    auto below = co_await filled_with("");
    buffered_byte_stream<source> stream(std::move(below));
    co_await expect_lets_others_run(
        [&]() -> task<> {
            const auto end = co_await stream.next();
            EXPECT_FALSE(end);
        },
        "next"
    );
}

ANYIO_TEST(stream_budget, whatever_is_around_a_stream_costs_no_less) {
    auto below = co_await filled_with(std::string(20'000, 'x'));
    auto [out, in] = anyio::testing::memory_stream_one_way_pair();
    stapled_byte_stream stapled(std::move(out), std::move(below));
    abc::byte_receive_stream any(std::move(stapled));
    text_receive_stream text(std::move(any));
    co_await expect_lets_others_run(
        [&]() -> task<> { (void)co_await text.wrapped().receive(1); }, "erased"
    );
    co_await text.aclose();
    co_await expect_lets_others_run(
        [&]() -> task<> { co_await text.aclose(); }, "closing what is closed"
    );
    (void)in;
}

ANYIO_TEST(stream_budget, texts_and_objects_that_lie_ready_cost_some) {
    auto [to_stream, from] = create_memory_object_stream<bytes>(unbounded);
    for (int i = 0; i < 3'000; ++i)
        to_stream.send_nowait(bytes("a"));
    text_receive_stream text(std::move(from));
    co_await expect_lets_others_run(
        [&]() -> task<> { (void)co_await text.receive(); }, "text"
    );
    co_await expect_lets_others_run(
        [&]() -> task<> { co_await to_stream.send(bytes("a")); }, "send"
    );
    // Chunks without anything in them are passed over, one by one.
    auto [to_buffer, chunks] = create_memory_object_stream<bytes>(unbounded);
    for (int i = 0; i < 3'000; ++i)
        to_buffer.send_nowait(bytes());
    to_buffer.send_nowait(bytes("end"));
    buffered_byte_receive_stream buffered(std::move(chunks));
    bool others_ran = false;
    auto body = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            others_ran = true;
            co_return;
        });
        const bytes end = co_await buffered.receive();
        EXPECT_EQ(end, "end");
        EXPECT_TRUE(others_ran);
    };
    co_await with(create_task_group(), body);
}

// It has not taken anything when it yields, so it may be cancelled there.
ANYIO_TEST(stream_budget, a_receive_that_lets_others_run_first_loses_nothing) {
    auto stream = co_await buffered_lines();
    const std::size_t all = stream.buffer().size();
    std::size_t taken = 0;
    cancel_scope scope;
    auto body = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            scope.cancel();
            co_return;
        });
        auto lines = [&]() -> task<> {
            for (;;) {
                const bytes line = co_await stream.receive_until("\n", 100);
                taken += line.size() + 1;
            }
        };
        co_await with(scope, lines);
    };
    co_await with(create_task_group(), body);
    EXPECT_GT(taken, 0u);
    EXPECT_EQ(taken + stream.buffer().size(), all);
}
