// SPDX-License-Identifier: MIT
/// @file
/// Byte streams: what is sent arrives, and then the end.

#include "byte_stream_checks.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace anyio::testing::detail {

namespace {

BYTE_STREAM_CHECK(passes_bytes) {
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await x.send("hello"); });
        const std::string got = co_await receive_text(y, 5);
        EXPECT_EQ(got, "hello");
    };
    co_await with(create_task_group(), both);
}

BYTE_STREAM_CHECK(passes_a_lot_whole_and_in_order) {
    const std::string sent = pattern_of(3'000'000);
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await send_text(x, sent); });
        const std::string got = co_await receive_text(y, sent.size());
        EXPECT_EQ(got == sent, true);
    };
    co_await with(create_task_group(), both);
}

BYTE_STREAM_CHECK(passes_pieces_of_all_sizes) {
    const std::string sent = pattern_of(100'000);
    auto sender = [&]() -> task<> {
        small_random sizes(1);
        for (std::size_t at = 0; at < sent.size();) {
            const std::string piece = sent.substr(at, sizes.up_to(3000));
            co_await x.send(piece);
            at += piece.size();
        }
    };
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon(std::ref(sender));
        small_random sizes(2);
        std::string got;
        while (got.size() < sent.size()) {
            const bytes chunk = co_await y.receive(sizes.up_to(3000));
            got += std::string_view(chunk);
        }
        EXPECT_EQ(got == sent, true);
    };
    co_await with(create_task_group(), both);
}

BYTE_STREAM_CHECK(passes_both_directions_at_once) {
    const std::string sent = pattern_of(500'000);
    int whole = 0;
    auto both = [&](task_group& tg) {
        tg.start_soon([&]() -> task<> { co_await send_text(x, sent); });
        tg.start_soon([&]() -> task<> { co_await send_text(y, sent); });
        tg.start_soon([&]() -> task<> {
            const std::string got = co_await receive_text(x, sent.size());
            whole += got == sent;
        });
        tg.start_soon([&]() -> task<> {
            const std::string got = co_await receive_text(y, sent.size());
            whole += got == sent;
        });
    };
    co_await with(create_task_group(), both);
    EXPECT_EQ(whole, 2);
}

BYTE_STREAM_CHECK(receives_byte_by_byte) {
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await x.send("abc"); });
        std::string got;
        for (int i = 0; i < 3; ++i) {
            const bytes chunk = co_await y.receive(1);
            EXPECT_EQ(chunk.size(), 1u);
            got += std::string_view(chunk);
        }
        EXPECT_EQ(got, "abc");
    };
    co_await with(create_task_group(), both);
}

BYTE_STREAM_CHECK(receives_into_a_buffer) {
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await x.send("abcdef"); });
        std::byte buffer[4];
        std::string got;
        while (got.size() < 6) {
            const std::size_t count = co_await y.receive_some(buffer);
            EXPECT_LE(count, 4u);
            ANYIO_REQUIRE(count != 0);
            got += to_string_view(byte_view(buffer, count));
        }
        EXPECT_EQ(got, "abcdef");
    };
    co_await with(create_task_group(), both);
}

BYTE_STREAM_CHECK(refuses_to_receive_nothing) {
    co_await expect_error<usage_error>(receiving(y, 0), "receive(0)");
    const auto next = co_await as_outcome(y.next(0));
    EXPECT_TRUE(ended_with<usage_error>(next.error()));
    const auto some = co_await as_outcome(y.receive_some(byte_span()));
    EXPECT_TRUE(ended_with<usage_error>(some.error()));
}

BYTE_STREAM_CHECK(sends_nothing_when_told_so) {
    co_await x.send("");
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await x.send("");
            co_await x.send("a");
        });
        const bytes got = co_await y.receive();
        EXPECT_EQ(got, "a");
    };
    co_await with(create_task_group(), both);
}

BYTE_STREAM_CHECK(a_receiver_waits_until_something_comes) {
    bool received = false;
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            const bytes got = co_await y.receive();
            received = true;
            EXPECT_EQ(got, "x");
        });
        co_await wait_all_tasks_blocked();
        EXPECT_FALSE(received);
        co_await x.send("x");
    };
    co_await with(create_task_group(), both);
    EXPECT_TRUE(received);
}

// Half a stream: anyio 701 lost what was buffered when the end came.
BYTE_STREAM_CHECK(the_end_comes_after_the_data) {
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await x.send("abc");
            co_await x.send_eof();
        });
        co_await wait_all_tasks_blocked();
        std::string got;
        while (auto chunk = co_await y.next(2))
            got += std::string_view(*chunk);
        EXPECT_EQ(got, "abc");
    };
    co_await with(create_task_group(), both);
}

BYTE_STREAM_CHECK(the_end_stays) {
    co_await x.send_eof();
    for (int i = 0; i < 2; ++i) {
        co_await expect_error<end_of_stream>(receiving(y), "receive at the end");
        const auto next = co_await y.next();
        EXPECT_EQ(next, std::nullopt);
        std::byte buffer[4];
        const std::size_t some = co_await y.receive_some(buffer);
        EXPECT_EQ(some, 0u);
    }
}

BYTE_STREAM_CHECK(the_end_wakes_who_waits_for_data) {
    bool ended = false;
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            const auto got = co_await y.next();
            ended = !got.has_value();
        });
        co_await wait_all_tasks_blocked();
        co_await x.send_eof();
    };
    co_await with(create_task_group(), both);
    EXPECT_TRUE(ended);
}

BYTE_STREAM_CHECK(the_other_direction_outlives_the_end) {
    co_await x.send_eof();
    const auto end = co_await y.next();
    EXPECT_EQ(end, std::nullopt);
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await y.send("still here"); });
        const std::string got = co_await receive_text(x, 10);
        EXPECT_EQ(got, "still here");
    };
    co_await with(create_task_group(), both);
}

BYTE_STREAM_CHECK(the_end_may_be_sent_twice) {
    co_await x.send_eof();
    co_await x.send_eof();
    const auto end = co_await y.next();
    EXPECT_EQ(end, std::nullopt);
}

BYTE_STREAM_CHECK(nothing_is_sent_after_the_end) {
    co_await x.send_eof();
    co_await expect_error<closed_resource_error>(sending(x, "late"), "send after eof");
}

BYTE_STREAM_CHECK(works_from_where_it_was_moved_to) {
    abc::byte_stream first = std::move(x);
    abc::byte_stream second = std::move(y);
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await first.send("abc"); });
        const std::string got = co_await receive_text(second, 3);
        EXPECT_EQ(got, "abc");
    };
    co_await with(create_task_group(), both);
}

constexpr byte_stream_check checks[] = {
    BYTE_STREAM_ENTRY(passes_bytes),
    BYTE_STREAM_ENTRY(passes_a_lot_whole_and_in_order),
    BYTE_STREAM_ENTRY(passes_pieces_of_all_sizes),
    BYTE_STREAM_ENTRY(passes_both_directions_at_once),
    BYTE_STREAM_ENTRY(receives_byte_by_byte),
    BYTE_STREAM_ENTRY(receives_into_a_buffer),
    BYTE_STREAM_ENTRY(refuses_to_receive_nothing),
    BYTE_STREAM_ENTRY(sends_nothing_when_told_so),
    BYTE_STREAM_ENTRY(a_receiver_waits_until_something_comes),
    BYTE_STREAM_END_ENTRY(the_end_comes_after_the_data),
    BYTE_STREAM_END_ENTRY(the_end_stays),
    BYTE_STREAM_END_ENTRY(the_end_wakes_who_waits_for_data),
    BYTE_STREAM_END_ENTRY(the_other_direction_outlives_the_end),
    BYTE_STREAM_END_ENTRY(the_end_may_be_sent_twice),
    BYTE_STREAM_END_ENTRY(nothing_is_sent_after_the_end),
    BYTE_STREAM_ENTRY(works_from_where_it_was_moved_to),
};

}  // namespace

std::span<const byte_stream_check> byte_transfer_checks() noexcept {
    return checks;
}

}  // namespace anyio::testing::detail
