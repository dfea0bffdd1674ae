// SPDX-License-Identifier: MIT
#include <anyio/networking/socket_stream.hpp>

#include <anyio/base/cause.hpp>
#include "networking/connections.hpp"

#include <array>

using namespace anyio;
using support::connected_pair;
using support::pattern;
using support::receive_all;
using support::stream_pair;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

static_assert(!std::is_copy_constructible_v<socket_stream>);
static_assert(std::is_nothrow_move_constructible_v<socket_stream>);
// What a task pays for that waits in a receive: see docs/design.
static_assert(sizeof(detail::receive_some_operation) == 72);
static_assert(sizeof(socket_stream) <= 48);

ANYIO_TEST(socket_stream, carries_bytes_in_both_directions) {
    stream_pair pair = co_await connected_pair();
    co_await pair.client.send("hello");
    const bytes there = co_await pair.server.receive();
    EXPECT_EQ(there, as_bytes("hello"));
    co_await pair.server.send(there);
    const bytes back = co_await pair.client.receive();
    EXPECT_EQ(back, as_bytes("hello"));
}

ANYIO_TEST(socket_stream, sends_text_spans_and_bytes_alike) {
    stream_pair pair = co_await connected_pair();
    const std::string text = "text ";
    const std::array<std::byte, 3> array{
        std::byte{'a'}, std::byte{'b'}, std::byte{' '}
    };
    const bytes owned(as_bytes("bytes"));
    co_await pair.client.send(text);
    co_await pair.client.send(array);
    co_await pair.client.send(owned);
    co_await pair.client.send(std::string_view());
    co_await pair.client.send_eof();
    const std::string all = co_await receive_all(pair.server);
    EXPECT_EQ(all, "text ab bytes");
}

ANYIO_TEST(socket_stream, waits_for_what_has_not_come_yet) {
    stream_pair pair = co_await connected_pair();
    std::string got;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const bytes chunk = co_await pair.server.receive();
            got = chunk.str();
        });
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(got, "");
        co_await pair.client.send("late");
    });
    EXPECT_EQ(got, "late");
}

ANYIO_TEST(socket_stream, receives_at_most_what_was_asked_for) {
    stream_pair pair = co_await connected_pair();
    co_await pair.client.send("abcdefghij");
    const bytes first = co_await pair.server.receive(3);
    EXPECT_EQ(first, as_bytes("abc"));
    std::array<std::byte, 4> buffer{};
    const std::size_t second = co_await pair.server.receive_some(buffer);
    EXPECT_EQ(to_string_view(byte_view(buffer).first(second)), "defg");
    const auto third = co_await pair.server.next(1);
    EXPECT_EQ(third->str(), "h");
    const bytes rest = co_await pair.server.receive();
    EXPECT_EQ(rest, as_bytes("ij"));
}

ANYIO_TEST(socket_stream, gives_one_receive_what_came_in_one_piece) {
    stream_pair pair = co_await connected_pair();
    const std::string text = pattern(60000);
    co_await pair.client.send(text);
    co_await wait_all_tasks_blocked();
    const bytes all = co_await pair.server.receive();
    EXPECT_EQ(all.size(), 60000u);
    EXPECT_LE(all.capacity(), 64000u);
}

ANYIO_TEST(socket_stream, transfers_megabytes_against_backpressure) {
    stream_pair pair = co_await connected_pair();
    support::use_small_buffers(pair);
    const std::string sent = pattern(3'000'000);
    std::string received;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            co_await pair.client.send(sent);
            co_await pair.client.send_eof();
        });
        received = co_await receive_all(pair.server);
    });
    EXPECT_TRUE(received == sent);
}

ANYIO_TEST(socket_stream, transfers_megabytes_into_one_buffer_byte_exactly) {
    stream_pair pair = co_await connected_pair();
    const std::string sent = pattern(2'000'000);
    std::string received(sent.size() + 1, '\0');
    std::size_t filled = 0;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            co_await pair.client.send(sent);
            co_await pair.client.send_eof();
        });
        const byte_span room = as_writable_bytes(received);
        while (const std::size_t got =
                   co_await pair.server.receive_some(room.subspan(filled)))
            filled += got;
    });
    EXPECT_EQ(filled, sent.size());
    received.resize(filled);
    EXPECT_TRUE(received == sent);
}

ANYIO_TEST(socket_stream, is_full_duplex) {
    stream_pair pair = co_await connected_pair();
    support::use_small_buffers(pair);
    const std::string up = pattern(500'000);
    const std::string down = pattern(700'000);
    std::string got_up;
    std::string got_down;
    const auto send = [](socket_stream& stream, const std::string& text) -> task<> {
        co_await stream.send(text);
        co_await stream.send_eof();
    };
    const auto receive = [](socket_stream& stream, std::string& text) -> task<> {
        text = co_await receive_all(stream, 5000);
    };
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon(send, std::ref(pair.client), std::cref(up));
        group.start_soon(send, std::ref(pair.server), std::cref(down));
        group.start_soon(receive, std::ref(pair.client), std::ref(got_down));
        group.start_soon(receive, std::ref(pair.server), std::ref(got_up));
        co_return;
    });
    EXPECT_TRUE(got_up == up);
    EXPECT_TRUE(got_down == down);
}

ANYIO_TEST(socket_stream, send_some_takes_what_there_is_room_for) {
    stream_pair pair = co_await connected_pair();
    support::use_small_buffers(pair);
    const std::string text = pattern(10'000'000);
    const std::size_t none = co_await pair.client.send_some("");
    EXPECT_EQ(none, 0u);
    std::size_t sent = 0;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            for (;;) {
                const std::size_t some = co_await pair.client.send_some(text);
                EXPECT_GT(some, 0u);
                sent += some;
            }
        });
        co_await wait_all_tasks_blocked();
        const std::size_t at_first = sent;
        EXPECT_GT(at_first, 0u);
        EXPECT_LT(at_first, text.size());
        std::size_t received = 0;
        while (sent == at_first) {
            const bytes chunk = co_await pair.server.receive();
            received += chunk.size();
        }
        EXPECT_LE(received, sent);
        group.cancel();
    });
}

ANYIO_TEST(socket_stream, reports_the_end_in_three_ways_and_again) {
    stream_pair pair = co_await connected_pair();
    co_await pair.client.send("last");
    co_await pair.client.send_eof();
    co_await wait_all_tasks_blocked();  // data and end are there together
    const bytes last = co_await pair.server.receive();
    EXPECT_EQ(last, as_bytes("last"));
    for (int i = 0; i < 2; ++i) {
        const auto next = co_await pair.server.next();
        EXPECT_FALSE(next);
        std::array<std::byte, 1> buffer{};
        const std::size_t some = co_await pair.server.receive_some(buffer);
        EXPECT_EQ(some, 0u);
        const auto received = co_await as_outcome(pair.server.receive());
        EXPECT_TRUE(is_error<end_of_stream>(received.error()));
        EXPECT_THAT(message_of(received.error()), HasSubstr("end of stream"));
    }
}

// Edge-triggered, the end that comes with the last data is reported once.
ANYIO_TEST(socket_stream, sees_an_end_that_came_while_it_waited_for_data) {
    stream_pair pair = co_await connected_pair();
    std::string got;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> { got = co_await receive_all(pair.server); });
        co_await wait_all_tasks_blocked();
        co_await pair.client.send("x");
        co_await pair.client.aclose();
    });
    EXPECT_EQ(got, "x");
}

ANYIO_TEST(socket_stream, can_be_closed_in_one_direction_only) {
    stream_pair pair = co_await connected_pair();
    co_await pair.client.send("question");
    co_await pair.client.send_eof();
    co_await pair.client.send_eof();  // does nothing
    const std::string question = co_await receive_all(pair.server);
    EXPECT_EQ(question, "question");
    co_await pair.server.send("answer");
    const bytes answer = co_await pair.client.receive();
    EXPECT_EQ(answer, as_bytes("answer"));
    const auto sent = co_await as_outcome(pair.client.send("too late"));
    EXPECT_TRUE(is_error<closed_resource_error>(sent.error()));
    EXPECT_THAT(
        message_of(sent.error()), HasSubstr("send_eof() has ended this direction")
    );
}

ANYIO_TEST(socket_stream, knows_both_addresses) {
    stream_pair pair = co_await connected_pair();
    EXPECT_EQ(pair.client.remote_address(), pair.server.local_address());
    EXPECT_EQ(pair.server.remote_address(), pair.client.local_address());
    EXPECT_EQ(
        pair.client.remote_address().address(), ip_address(ipv4_address::loopback())
    );
    const ip_endpoint remote = pair.server.remote_address();
    co_await pair.server.aclose();
    EXPECT_EQ(pair.server.remote_address(), remote);
    EXPECT_THROW(static_cast<void>(pair.server.local_address()), closed_resource_error);
}

ANYIO_TEST(socket_stream, sends_small_packets_at_once) {
    stream_pair pair = co_await connected_pair();
    for (const int fd : {pair.client.native_handle(), pair.server.native_handle()}) {
        int no_delay = 0;
        socklen_t size = sizeof(no_delay);
        EXPECT_EQ(::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
        EXPECT_NE(no_delay, 0);
    }
}

ANYIO_TEST(socket_stream, refuses_to_receive_nothing) {
    stream_pair pair = co_await connected_pair();
    const auto none = co_await as_outcome(pair.server.receive(0));
    EXPECT_TRUE(is_error<usage_error>(none.error()));
    const auto empty = co_await as_outcome(pair.server.receive_some(byte_span()));
    EXPECT_TRUE(is_error<usage_error>(empty.error()));
    EXPECT_THAT(message_of(empty.error()), HasSubstr("ask for at least one byte"));
}

ANYIO_TEST(socket_stream, a_reset_is_an_error_with_a_cause_and_stays_one) {
    stream_pair pair = co_await connected_pair();
    const std::string client = to_string(pair.client.local_address());
    const std::string server = to_string(pair.server.local_address());
    support::reset_on_close(pair.client);
    co_await pair.client.aclose();
    co_await wait_all_tasks_blocked();
    const auto received = co_await as_outcome(pair.server.receive());
    EXPECT_TRUE(is_error<broken_resource_error>(received.error()));
    const std::string message = "receive on socket_stream " + server + " ← " + client +
                                ": connection reset by peer (ECONNRESET)";
    EXPECT_EQ(message_of(received.error()), message);
    const auto* const cause = caught_as<os_error>(cause_of(received.error()));
    ANYIO_REQUIRE(cause);
    EXPECT_EQ(cause->code(), std::errc::connection_reset);
    // The system says so once, and then that the stream has ended.
    const auto again = co_await as_outcome(pair.server.next());
    EXPECT_EQ(message_of(again.error()), message);
    const auto sent = co_await as_outcome(pair.server.send("x"));
    EXPECT_TRUE(is_error<broken_resource_error>(sent.error()));
    EXPECT_THAT(message_of(sent.error()), HasSubstr("send on socket_stream"));
}

ANYIO_TEST(socket_stream, a_reset_wakes_who_waits) {
    stream_pair pair = co_await connected_pair();
    support::use_small_buffers(pair);
    outcome<bytes> received;
    outcome<void> sent;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            received = co_await as_outcome(pair.server.receive());
        });
        group.start_soon([&]() -> task<> {
            sent = co_await as_outcome(pair.server.send(pattern(5'000'000)));
        });
        co_await wait_all_tasks_blocked();
        support::reset_on_close(pair.client);
        co_await pair.client.aclose();
    });
    EXPECT_TRUE(is_error<broken_resource_error>(received.error()));
    EXPECT_TRUE(is_error<broken_resource_error>(sent.error()));
}

ANYIO_TEST(socket_stream, a_peer_that_has_gone_breaks_the_send) {
    stream_pair pair = co_await connected_pair();
    co_await pair.client.aclose();
    outcome<void> sent(std::in_place);
    for (int i = 0; i < 100 && sent.has_value(); ++i) {
        sent = co_await as_outcome(pair.server.send("anybody there?"));
        co_await lowlevel::checkpoint();
    }
    EXPECT_TRUE(is_error<broken_resource_error>(sent.error()));
    EXPECT_THAT(message_of(sent.error()), MatchesRegex(".*\\((EPIPE|ECONNRESET)\\)"));
}

ANYIO_TEST(socket_stream, moves_with_its_waiting_tasks) {
    stream_pair pair = co_await connected_pair();
    std::string got;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const bytes chunk = co_await pair.server.receive();
            got = chunk.str();
        });
        co_await wait_all_tasks_blocked();
        auto moved = std::make_unique<socket_stream>(std::move(pair.server));
        EXPECT_TRUE(pair.server.is_closed());
        EXPECT_FALSE(moved->is_closed());
        co_await pair.client.send("found you");
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(got, "found you");
        const auto old = co_await as_outcome(pair.server.receive());
        EXPECT_TRUE(is_error<closed_resource_error>(old.error()));
        EXPECT_THAT(message_of(old.error()), HasSubstr("was moved from"));
        pair.server = std::move(*moved);
    });
    co_await pair.client.send("again");
    const bytes again = co_await pair.server.receive();
    EXPECT_EQ(again, as_bytes("again"));
}

ANYIO_TEST(socket_stream, serves_a_task_that_never_waits_without_starving_the_others) {
    stream_pair pair = co_await connected_pair();
    const std::string text = pattern(20000);
    co_await pair.client.send(text);
    co_await wait_all_tasks_blocked();
    int others = 0;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            for (;;) {
                co_await lowlevel::checkpoint();
                ++others;
            }
        });
        co_await lowlevel::checkpoint();
        const int before = others;
        std::array<std::byte, 1> one{};
        for (std::size_t i = 0; i < text.size(); ++i) {
            co_await pair.server.receive_some(one);
            EXPECT_EQ(std::to_integer<char>(one[0]), text[i]);
        }
        EXPECT_GT(others - before, 100);
        group.cancel();
    });
}
