// SPDX-License-Identifier: MIT
#include <anyio/streams/buffered.hpp>

#include <anyio/testing/memory_stream.hpp>
#include "support/anyio_test.hpp"

#include <algorithm>
#include <limits>
#include <vector>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

namespace {

/// The receiving end of a pipe that holds these bytes, and then ends.
task<anyio::testing::memory_receive_stream> holding(std::string text) {
    auto [send, receive] = anyio::testing::memory_stream_one_way_pair();
    co_await send.send(text);
    co_return std::move(receive);
}

using buffered = buffered_byte_receive_stream<anyio::testing::memory_receive_stream>;

template <class S>
task<bytes> until(S& stream, std::string_view delimiter, std::size_t most) {
    return stream.receive_until(delimiter, most);
}

}  // namespace

ANYIO_TEST(buffered, receives_exactly_so_many_bytes) {
    auto [send, receive] = anyio::testing::memory_stream_one_way_pair();
    buffered stream(std::move(receive));
    auto body = [&, &s = send](task_group& tg) -> task<> {
        tg.start_soon([&s]() -> task<> {
            for (const char* part : {"ab", "c", "defg"}) {
                co_await s.send(part);
                co_await lowlevel::checkpoint();
            }
            co_await s.send_eof();
        });
        const bytes first = co_await stream.receive_exactly(4);
        EXPECT_EQ(first, "abcd");
        const bytes none = co_await stream.receive_exactly(0);
        EXPECT_TRUE(none.empty());
        const bytes second = co_await stream.receive_exactly(3);
        EXPECT_EQ(second, "efg");
    };
    co_await with(create_task_group(), body);
}

ANYIO_TEST(buffered, keeps_what_came_when_the_stream_ends_too_soon) {
    auto receive = co_await holding("abc");
    buffered stream(std::move(receive));
    const auto exactly = co_await as_outcome(stream.receive_exactly(8));
    EXPECT_TRUE(is_error<incomplete_read>(exactly.error()));
    EXPECT_THAT(message_of(exactly.error()), HasSubstr("ended after 3"));
    const auto line = co_await as_outcome(until(stream, "\n", 100));
    EXPECT_TRUE(is_error<incomplete_read>(line.error()));
    EXPECT_EQ(to_string_view(stream.buffer()), "abc");
    const bytes rest = co_await stream.receive();
    EXPECT_EQ(rest, "abc");
    const auto end = co_await as_outcome(stream.receive());
    EXPECT_TRUE(is_error<end_of_stream>(end.error()));
}

ANYIO_TEST(buffered, receives_up_to_a_delimiter) {
    auto receive = co_await holding("one\r\ntwo\r\n\r\nrest");
    buffered stream(std::move(receive));
    for (const char* line : {"one", "two", ""}) {
        const bytes got = co_await stream.receive_until("\r\n", 100);
        EXPECT_EQ(got, line);
    }
    const bytes rest = co_await stream.receive_exactly(4);
    EXPECT_EQ(rest, "rest");
}

// Wherever the bytes are cut, also inside of the delimiter and of false beginnings of it.
ANYIO_TEST(buffered, finds_a_delimiter_across_any_split) {
    const std::string text = "aabaabaaac|xaabaaac|aabaaac|";
    const std::string delimiter = "aabaaac|";
    for (std::size_t size = 1; size <= text.size(); ++size) {
        auto [send, receive] = create_memory_object_stream<bytes>(unbounded);
        for (std::size_t at = 0; at < text.size(); at += size)
            send.send_nowait(bytes(byte_view(text.substr(at, size))));
        send.close();
        buffered_byte_receive_stream stream(std::move(receive));
        for (const char* part : {"aab", "x", ""}) {
            const bytes got = co_await stream.receive_until(delimiter, 100);
            EXPECT_EQ(got, part) << "pieces of " << size;
        }
        EXPECT_TRUE(stream.buffer().empty());
    }
}

ANYIO_TEST(buffered, gives_up_when_the_delimiter_does_not_come_in_time) {
    // Whether the delimiter is there already makes no difference: only its place does.
    for (const char* text : {"abcdefgh\n", "abcdefgh"}) {
        auto receive = co_await holding(text);
        buffered stream(std::move(receive));
        const auto line = co_await as_outcome(until(stream, "\n", 8));
        const auto* const error = caught_as<delimiter_not_found>(line.error());
        ANYIO_REQUIRE(error != nullptr);
        EXPECT_EQ(error->max_bytes(), 8u);
        EXPECT_EQ(to_string_view(stream.buffer()), text) << "nothing is lost";
    }
    auto receive = co_await holding("abcdefg\n");
    buffered stream(std::move(receive));
    const bytes line = co_await stream.receive_until("\n", 8);
    EXPECT_EQ(line, "abcdefg");
}

ANYIO_TEST(buffered, refuses_delimiters_that_cannot_be_found) {
    auto receive = co_await holding("x");
    buffered stream(std::move(receive));
    const auto empty = co_await as_outcome(until(stream, "", 8));
    EXPECT_EQ(message_of(empty.error()), "receive_until: the delimiter is empty");
    const auto longer = co_await as_outcome(until(stream, "abc", 2));
    EXPECT_EQ(
        message_of(longer.error()),
        "receive_until: a delimiter of 3 bytes cannot be found within 2"
    );
}

ANYIO_TEST(buffered, keeps_the_surplus_of_an_object_stream) {
    auto [send, receive] = create_memory_object_stream<bytes>(8);
    buffered_byte_receive_stream stream(std::move(receive));
    send.send_nowait(bytes(byte_view("abcdef")));
    send.send_nowait(bytes());
    send.send_nowait(bytes(byte_view("g")));
    send.close();
    const bytes first = co_await stream.receive(2);
    EXPECT_EQ(first, "ab");
    EXPECT_EQ(to_string_view(stream.buffer()), "cdef");
    std::byte room[3];
    const std::size_t count = co_await stream.receive_some(room);
    EXPECT_EQ(to_string_view(byte_view(room, count)), "cde");
    const bytes third = co_await stream.receive();
    EXPECT_EQ(third, "f");
    const bytes fourth = co_await stream.receive();
    EXPECT_EQ(fourth, "g") << "an empty chunk is not the end";
    const auto end = co_await stream.next();
    EXPECT_EQ(end, std::nullopt);
}

ANYIO_TEST(buffered, data_that_is_fed_comes_after_what_is_there) {
    auto receive = co_await holding("abc");
    buffered stream(std::move(receive));
    stream.feed_data("x");
    const bytes first = co_await stream.receive_exactly(2);
    EXPECT_EQ(first, "xa");
    stream.feed_data("yz");
    stream.feed_data("");
    const bytes fed = co_await stream.receive();
    EXPECT_EQ(fed, "yz") << "no more was taken from the stream than was asked for";
    const bytes rest = co_await stream.receive();
    EXPECT_EQ(rest, "bc");
}

ANYIO_TEST(buffered, loses_nothing_when_it_is_cancelled) {
    auto [send, receive] = anyio::testing::memory_stream_one_way_pair();
    buffered stream(std::move(receive));
    co_await send.send("abc");
    const auto exactly = co_await move_on_after(1s, stream.receive_exactly(5));
    EXPECT_EQ(exactly, std::nullopt);
    EXPECT_EQ(to_string_view(stream.buffer()), "abc");
    co_await send.send("d\ne");
    const auto line = co_await move_on_after(1s, stream.receive_until("\n\n", 100));
    EXPECT_EQ(line, std::nullopt);
    EXPECT_EQ(to_string_view(stream.buffer()), "abcd\ne");
    auto body = [&](cancel_scope& scope) -> task<> {
        scope.cancel();
        (void)co_await stream.receive();
        ADD_FAILURE() << "received in a cancelled scope";
    };
    co_await with(cancel_scope(), body);
    const bytes all = co_await stream.receive();
    EXPECT_EQ(all, "abcd\ne");
}

ANYIO_TEST(buffered, one_reader_at_a_time_also_when_another_one_feeds) {
    auto [send, receive] = anyio::testing::memory_stream_one_way_pair();
    buffered stream(std::move(receive));
    std::string got;
    auto body = [&, &s = send](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            const bytes chunk = co_await stream.receive_exactly(4);
            got = chunk.str();
        });
        co_await wait_all_tasks_blocked();
        const auto second = co_await as_outcome(stream.receive());
        EXPECT_TRUE(is_error<busy_resource_error>(second.error()));
        EXPECT_THAT(
            message_of(second.error()), HasSubstr("another task is already receiving")
        );
        stream.feed_data("xy");
        co_await s.send("abcd");
    };
    co_await with(create_task_group(), body);
    EXPECT_EQ(got, "xyab");
    EXPECT_EQ(to_string_view(stream.buffer()), "cd");
}

ANYIO_TEST(buffered, a_closed_stream_refuses_what_is_in_its_buffer_too) {
    auto receive = co_await holding("abc");
    buffered stream(std::move(receive));
    const bytes first = co_await stream.receive(1);
    EXPECT_EQ(first, "a");
    co_await stream.aclose();
    EXPECT_TRUE(stream.buffer().empty());
    const auto ended = co_await as_outcome(stream.receive());
    EXPECT_TRUE(is_error<closed_resource_error>(ended.error()));
    EXPECT_THROW(stream.feed_data("x"), closed_resource_error);
}

ANYIO_TEST(buffered, uses_a_stream_that_it_does_not_own) {
    auto [first, second] = anyio::testing::memory_stream_pair();
    {
        buffered_byte_stream<anyio::testing::memory_stream&> stream(first);
        co_await second.send("a line\nmore");
        const bytes line = co_await stream.receive_until("\n", 100);
        EXPECT_EQ(line, "a line");
        co_await stream.send("answer");
    }
    const bytes answer = co_await second.receive();
    EXPECT_EQ(answer, "answer");
    co_await second.send("still open");
}

ANYIO_TEST(buffered, many_small_reads_of_a_large_chunk_take_linear_time) {
    std::string text;
    for (int i = 0; i < 50'000; ++i)
        text += "ab\n";
    auto receive = co_await holding(text);
    buffered stream(std::move(receive));
    int lines = 0;
    for (; lines < 50'000; ++lines) {
        const bytes line = co_await stream.receive_until("\n", 100);
        if (line != "ab")
            break;
    }
    EXPECT_EQ(lines, 50'000);
}

ANYIO_TEST(buffered, connects) {
    struct target {
        task<anyio::testing::memory_stream> connect() const {
            auto [here, there] = anyio::testing::memory_stream_pair();
            co_await there.send("hello\n");
            co_return std::move(here);
        }
    };

    const buffered_connectable connectable{target()};
    auto stream = co_await connectable.connect();
    const bytes line = co_await stream.receive_until("\n", 10);
    EXPECT_EQ(line, "hello");
}

ANYIO_TEST(buffered, lines_end_with_the_stream) {
    auto receive = co_await holding("one\n\ntwo\n");
    buffered stream(std::move(receive));
    std::vector<std::string> lines;
    while (auto line = co_await stream.next_until("\n", 100))
        lines.push_back(line->str());
    EXPECT_THAT(lines, ::testing::ElementsAre("one", "", "two"));
    const auto again = co_await stream.next_until("\n", 100);
    EXPECT_FALSE(again);
}

ANYIO_TEST(buffered, a_last_line_without_an_end_is_incomplete) {
    auto receive = co_await holding("one\ntwo");
    buffered stream(std::move(receive));
    const auto first = co_await stream.next_until("\n", 100);
    ANYIO_REQUIRE(first.has_value());
    EXPECT_EQ(*first, "one");
    const auto second = co_await as_outcome(stream.next_until("\n", 100));
    EXPECT_TRUE(is_error<incomplete_read>(second.error()));
    EXPECT_THAT(
        message_of(second.error()),
        HasSubstr("next_until: the stream ended after 3 bytes without the delimiter")
    );
    const bytes rest = co_await stream.receive_exactly(3);
    EXPECT_EQ(rest, "two");
}

ANYIO_TEST(buffered, blocks_end_with_the_stream) {
    auto receive = co_await holding("aabbc");
    buffered stream(std::move(receive));
    for (const char* expected : {"aa", "bb"}) {
        const auto block = co_await stream.next_exactly(2);
        ANYIO_REQUIRE(block.has_value());
        EXPECT_EQ(*block, expected);
    }
    const auto half = co_await as_outcome(stream.next_exactly(2));
    EXPECT_TRUE(is_error<incomplete_read>(half.error()));
    co_await stream.skip(1);
    const auto end = co_await stream.next_exactly(2);
    EXPECT_FALSE(end);
    const auto nothing = co_await stream.next_exactly(0);
    EXPECT_TRUE(nothing.has_value());
}

ANYIO_TEST(buffered, skips_more_than_there_is_memory_for) {
    auto [send, receive] = anyio::testing::memory_stream_one_way_pair(1'000);
    buffered stream(std::move(receive));
    auto body = [&, &s = send](task_group& tg) -> task<> {
        tg.start_soon([&s]() -> task<> {
            const std::string much(1'000'000, 'x');
            co_await s.send(much);
            co_await s.send("end");
            co_await s.send_eof();
        });
        co_await stream.skip(1'000'000);
        EXPECT_LE(stream.buffer().size(), 1'000u);
        const bytes end = co_await stream.receive_exactly(3);
        EXPECT_EQ(end, "end");
        co_await stream.skip(0);
        const auto more = co_await as_outcome(stream.skip(1));
        EXPECT_TRUE(is_error<incomplete_read>(more.error()));
    };
    co_await with(create_task_group(), body);
}

namespace {

/// What of it was asked for at most.
class asked_stream : public abc::byte_receiver<asked_stream> {
public:
    explicit asked_stream(std::size_t& most) : most_(&most) {}

    task<std::size_t> receive_some(byte_span buffer) {
        *most_ = std::max(*most_, buffer.size());
        co_await lowlevel::checkpoint();
        if (left_ == 0)
            co_return std::size_t{0};
        --left_;
        buffer[0] = std::byte{'x'};
        co_return std::size_t{1};
    }

    abc::close_operation aclose() noexcept {
        return {this, [](void*) noexcept {}};
    }

private:
    std::size_t* most_;
    std::size_t left_ = 10;
};

constexpr auto most_of_all =
    static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max());

}  // namespace

// A length that the peer has sent costs no memory before its bytes have come.
ANYIO_TEST(buffered, room_grows_with_what_comes) {
    std::size_t asked = 0;
    buffered_byte_receive_stream<asked_stream> stream{asked_stream(asked)};
    const auto exactly = co_await as_outcome(stream.receive_exactly(most_of_all));
    EXPECT_TRUE(is_error<incomplete_read>(exactly.error()));
    EXPECT_LE(asked, 65536u);
    co_await stream.skip(10);
    const auto skipped = co_await as_outcome(stream.skip(most_of_all));
    EXPECT_TRUE(is_error<incomplete_read>(skipped.error()));
    const auto line = co_await stream.next_until("\n", most_of_all);
    EXPECT_FALSE(line);
    const auto any = co_await stream.next(std::numeric_limits<std::size_t>::max());
    EXPECT_FALSE(any);
    EXPECT_LE(asked, 65536u);
}

ANYIO_TEST(buffered, sizes_that_were_negative_are_mistakes) {
    auto receive = co_await holding("abc\n");
    buffered stream(std::move(receive));
    const auto minus = static_cast<std::size_t>(-1);
    const auto exactly = co_await as_outcome(stream.receive_exactly(minus));
    const auto next = co_await as_outcome(stream.next_exactly(minus));
    const auto skipped = co_await as_outcome(stream.skip(minus));
    const auto line = co_await as_outcome(stream.receive_until("\n", minus));
    const auto lines = co_await as_outcome(stream.next_until("\n", minus));
    for (const auto& error :
         {exactly.error(), next.error(), skipped.error(), line.error(), lines.error()
         }) {
        EXPECT_TRUE(is_error<usage_error>(error));
        EXPECT_THAT(message_of(error), HasSubstr("a size of -1 bytes"));
    }
    const bytes all = co_await stream.receive();
    EXPECT_EQ(all, "abc\n");
}
