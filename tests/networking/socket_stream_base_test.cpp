// SPDX-License-Identifier: MIT
#include <anyio/networking/socket_stream_base.hpp>

#include "networking/unix_connections.hpp"

#include <array>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

// What both kinds of streams have beyond the contract of byte streams, which
// tests/streams/contract_test.cpp checks.

using namespace anyio;
using namespace std::chrono_literals;
using support::all_of;
using support::file_with;
using support::pattern;
using ::testing::HasSubstr;

namespace {

/// `text` cut into pieces of 0, 1, 2, ... bytes, again and again.
std::vector<byte_view> pieces_of(const std::string& text, std::size_t longest) {
    std::vector<byte_view> pieces;
    std::size_t size = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t here = std::min(size, text.size() - at);
        pieces.push_back(as_bytes(std::string_view(text).substr(at, here)));
        at += here;
        size = size == longest ? 0 : size + 1;
    }
    return pieces;
}

}  // namespace

// --- several pieces ---------------------------------------------------------------------

STREAM_TEST(pieces_are_sent_as_if_they_were_one) {
    auto pair = co_await Kind::connected();
    const std::string body = "body";
    const std::array<byte_view, 3> message{"header ", body, "!"};
    co_await pair.client.send(message);
    co_await pair.client.send_eof();
    const std::string got = co_await all_of(pair.server);
    EXPECT_EQ(got, "header body!");
}

STREAM_TEST(any_number_of_pieces_is_sent) {
    const std::string text = pattern(5000);
    for (const std::size_t longest : {1u, 2u, 16u, 17u, 700u}) {
        auto pair = co_await Kind::connected();
        std::string got;
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            group.start_soon([&]() -> task<> {
                const std::vector<byte_view> pieces = pieces_of(text, longest);
                co_await pair.client.send(pieces);
                co_await pair.client.send_eof();
            });
            got = co_await all_of(pair.server);
        });
        EXPECT_EQ(got, text) << longest;
    }
}

STREAM_TEST(pieces_of_nothing_send_nothing) {
    auto pair = co_await Kind::connected();
    co_await pair.client.send(std::span<const byte_view>());
    const std::vector<byte_view> empty(100);
    co_await pair.client.send(empty);
    std::vector<byte_view> lonely(100);
    lonely[63] = "x";
    co_await pair.client.send(lonely);
    co_await pair.client.send_eof();
    const std::string got = co_await all_of(pair.server);
    EXPECT_EQ(got, "x");
}

STREAM_TEST(pieces_wait_while_the_peer_is_slow) {
    auto pair = co_await Kind::connected();
    support::use_small_buffers(pair);
    const std::string text = pattern(3'000'000);
    std::string got;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const std::vector<byte_view> pieces = pieces_of(text, 3000);
            co_await pair.client.send(pieces);
            co_await pair.client.send_eof();
        });
        co_await wait_all_tasks_blocked();
        got = co_await all_of(pair.server, 7777);
    });
    EXPECT_TRUE(got == text);
}

STREAM_TEST(pieces_that_are_cancelled_stop_at_some_byte) {
    auto pair = co_await Kind::connected();
    support::use_small_buffers(pair);
    const std::string text = pattern(3'000'000);
    const std::vector<byte_view> pieces = pieces_of(text, 3000);
    cancel_scope before;
    before.cancel();
    co_await with(before, [&]() -> task<> { co_await pair.client.send(pieces); });
    const bool finished = co_await move_on_after(1ms, pair.client.send(pieces));
    EXPECT_FALSE(finished);
    co_await pair.client.send_eof();
    const std::string got = co_await all_of(pair.server);
    EXPECT_LT(got.size(), text.size());
    EXPECT_TRUE(text.starts_with(got));
}

STREAM_TEST(pieces_know_the_errors_of_send) {
    auto pair = co_await Kind::connected();
    support::use_small_buffers(pair);
    const std::string text = pattern(3'000'000);
    const std::array<byte_view, 2> pieces{text, text};
    outcome<void> sent;
    outcome<void> second;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon({.name = "first"}, [&]() -> task<> {
            sent = co_await as_outcome(pair.client.send(pieces));
        });
        co_await wait_all_tasks_blocked();
        second = co_await as_outcome(pair.client.send(pieces));
        co_await pair.client.aclose();
    });
    EXPECT_TRUE(is_error<busy_resource_error>(second.error()));
    EXPECT_THAT(message_of(second.error()), HasSubstr("already sending: \"first\""));
    EXPECT_TRUE(is_error<closed_resource_error>(sent.error()));
    const auto after = co_await as_outcome(pair.client.send(pieces));
    EXPECT_TRUE(is_error<closed_resource_error>(after.error()));
    co_await pair.server.send_eof();
    const auto ended = co_await as_outcome(pair.server.send(pieces));
    EXPECT_THAT(message_of(ended.error()), HasSubstr("send_eof() has ended this"));
}

STREAM_TEST(pieces_to_a_peer_that_is_gone_are_an_error) {
    auto pair = co_await Kind::connected();
    co_await pair.client.send("unread");
    co_await pair.server.aclose();
    const std::array<byte_view, 2> pieces{"a", "b"};
    outcome<void> sent;
    for (int i = 0; i < 100 && !sent.error(); ++i)
        sent = co_await as_outcome(pair.client.send(pieces));
    EXPECT_TRUE(is_error<broken_resource_error>(sent.error()));
    EXPECT_TRUE(caught_as<os_error>(cause_of(sent.error())));
}

// --- files ------------------------------------------------------------------------------

STREAM_TEST(a_file_is_sent_to_its_end) {
    auto pair = co_await Kind::connected();
    const unique_fd file = file_with("contents of the file");
    const std::uint64_t sent = co_await pair.client.send_file(file.get());
    EXPECT_EQ(sent, 20u);
    EXPECT_EQ(::lseek(file.get(), 0, SEEK_CUR), 0);
    co_await pair.client.send_eof();
    const std::string got = co_await all_of(pair.server);
    EXPECT_EQ(got, "contents of the file");
}

STREAM_TEST(a_part_of_a_file_is_sent) {
    auto pair = co_await Kind::connected();
    const unique_fd file = file_with("contents of the file");
    const std::uint64_t part = co_await pair.client.send_file(file.get(), 9, 6);
    const std::uint64_t none = co_await pair.client.send_file(file.get(), 3, 0);
    const std::uint64_t past = co_await pair.client.send_file(file.get(), 1000, 1);
    const std::uint64_t rest = co_await pair.client.send_file(file.get(), 16, 100);
    EXPECT_EQ(part, 6u);
    EXPECT_EQ(none, 0u);
    EXPECT_EQ(past, 0u);
    EXPECT_EQ(rest, 4u);
    co_await pair.client.send_eof();
    const std::string got = co_await all_of(pair.server);
    EXPECT_EQ(got, "of thefile");
}

STREAM_TEST(a_large_file_waits_while_the_peer_is_slow) {
    auto pair = co_await Kind::connected();
    support::use_small_buffers(pair);
    const std::string text = pattern(3'000'000);
    const unique_fd file = file_with(text);
    std::uint64_t sent = 0;
    std::string got;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            sent = co_await pair.client.send_file(file.get(), 1);
            co_await pair.client.send_eof();
        });
        co_await wait_all_tasks_blocked();
        got = co_await all_of(pair.server, 7777);
    });
    EXPECT_EQ(sent, text.size() - 1);
    EXPECT_TRUE(got == text.substr(1));
}

STREAM_TEST(a_file_that_is_cancelled_stops_at_some_byte) {
    auto pair = co_await Kind::connected();
    support::use_small_buffers(pair);
    const std::string text = pattern(3'000'000);
    const unique_fd file = file_with(text);
    cancel_scope before;
    before.cancel();
    co_await with(before, [&]() -> task<> {
        co_await pair.client.send_file(file.get());
    });
    const auto sent = co_await move_on_after(1ms, pair.client.send_file(file.get()));
    EXPECT_FALSE(sent);
    co_await pair.client.send_eof();
    const std::string got = co_await all_of(pair.server);
    EXPECT_LT(got.size(), text.size());
    EXPECT_TRUE(text.starts_with(got));
}

STREAM_TEST(what_is_no_file_cannot_be_sent_and_harms_nothing) {
    auto pair = co_await Kind::connected();
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
    const unique_fd out(ends[0]);
    const unique_fd in(ends[1]);
    EXPECT_EQ(::write(in.get(), "x", 1), 1);
    for (const std::uint64_t offset : {0u, 1u}) {
        const auto piped =
            co_await as_outcome(pair.client.send_file(out.get(), offset, 1));
        EXPECT_TRUE(is_error<os_error>(piped.error()));
        EXPECT_THAT(
            message_of(piped.error()),
            ::testing::MatchesRegex(
                "send_file on .*socket_stream .* → .*: .* \\(E(SPIPE|INVAL)\\); it works "
                "for files, not for pipes and devices: read those, and send\\(\\)"
            )
        );
    }
    const auto nothing = co_await as_outcome(pair.client.send_file(-1));
    EXPECT_TRUE(is_error<os_error>(nothing.error()));
    const auto beyond =
        co_await as_outcome(pair.client.send_file(out.get(), ~std::uint64_t{0}));
    EXPECT_TRUE(is_error<usage_error>(beyond.error()));
    co_await pair.client.send("as before");
    co_await pair.client.send_eof();
    const std::string got = co_await all_of(pair.server);
    EXPECT_EQ(got, "as before");
}

STREAM_TEST(a_file_knows_the_errors_of_send) {
    auto pair = co_await Kind::connected();
    support::use_small_buffers(pair);
    const unique_fd file = file_with(pattern(3'000'000));
    outcome<std::uint64_t> sent;
    outcome<std::uint64_t> second;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            sent = co_await as_outcome(pair.client.send_file(file.get()));
        });
        co_await wait_all_tasks_blocked();
        second = co_await as_outcome(pair.client.send_file(file.get()));
        co_await pair.client.aclose();
    });
    EXPECT_TRUE(is_error<busy_resource_error>(second.error()));
    EXPECT_TRUE(is_error<closed_resource_error>(sent.error()));
    EXPECT_THAT(message_of(sent.error()), HasSubstr("the stream was closed by \""));
}

// sendfile(2) has no MSG_NOSIGNAL: SIGPIPE would end this program.
STREAM_TEST(a_file_to_a_peer_that_is_gone_is_an_error) {
    auto pair = co_await Kind::connected();
    co_await pair.client.send("unread");
    co_await pair.server.aclose();
    const unique_fd file = file_with("x");
    outcome<std::uint64_t> sent;
    for (int i = 0; i < 100 && !sent.error(); ++i)
        sent = co_await as_outcome(pair.client.send_file(file.get()));
    EXPECT_TRUE(is_error<broken_resource_error>(sent.error()));
}

// --- options ----------------------------------------------------------------------------

STREAM_TEST(buffer_sizes_can_be_set) {
    auto pair = co_await Kind::connected();
    // Linux sets twice as much.
    pair.client.template set_option<socket_option::send_buffer_size>(40000);
    EXPECT_EQ(
        pair.client.template get_option<socket_option::send_buffer_size>(), 80000
    );
    pair.client.template set_option<socket_option::receive_buffer_size>(30000);
    EXPECT_EQ(
        pair.client.template get_option<socket_option::receive_buffer_size>(), 60000
    );
}

STREAM_TEST(any_option_can_be_set_by_its_number) {
    auto pair = co_await Kind::connected();
    pair.client.set_raw_option(SOL_SOCKET, SO_PRIORITY, 3);
    EXPECT_EQ(pair.client.template get_raw_option<int>(SOL_SOCKET, SO_PRIORITY), 3);
    EXPECT_EQ(
        pair.client.template get_raw_option<int>(SOL_SOCKET, SO_TYPE), SOCK_STREAM
    );
}

STREAM_TEST(options_refuse_negative_values) {
    auto pair = co_await Kind::connected();
    const auto message = [&](auto option, auto value) {
        return message_thrown_by<usage_error>([&] {
            pair.client.template set_option<decltype(option)>(value);
        });
    };
    const auto negative = HasSubstr("is negative");
    EXPECT_THAT(message(socket_option::send_buffer_size(), -1), negative);
    EXPECT_THAT(message(socket_option::receive_buffer_size(), -1), negative);
    EXPECT_THAT(message(socket_option::not_sent_low_water(), -1), negative);
    EXPECT_THAT(message(socket_option::keep_alive_count(), -1), negative);
    EXPECT_THAT(message(socket_option::keep_alive_idle(), -1ns), negative);
    EXPECT_THAT(message(socket_option::keep_alive_interval(), -1s), negative);
    EXPECT_THAT(message(socket_option::user_timeout(), -1ms), negative);
    EXPECT_THAT(message(socket_option::linger(), duration(-1s)), negative);
}

// However much is asked for, what is there decides how much room is made.
STREAM_TEST(receives_what_there_is_without_a_limit) {
    auto pair = co_await Kind::connected();
    constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
    const std::string text = support::pattern(3'000'000);
    std::string got;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            co_await pair.client.send(text);
            co_await pair.client.send_eof();
        });
        const bytes first = co_await pair.server.receive(no_limit);
        got += first.str();
        while (auto chunk = co_await pair.server.next(no_limit - 1)) {
            EXPECT_LE(chunk->capacity(), chunk->size() + 100'000);
            got += chunk->str();
        }
    });
    EXPECT_EQ(got == text, true);
}

STREAM_TEST(lingering_may_reset_but_not_block) {
    auto pair = co_await Kind::connected();
    using option = socket_option::linger;
    EXPECT_EQ(pair.client.template get_option<option>(), std::nullopt);
    pair.client.template set_option<option>(0s);
    EXPECT_EQ(pair.client.template get_option<option>(), std::optional<duration>(0s));
    EXPECT_THAT(
        message_thrown_by<usage_error>([&] {
            pair.client.template set_option<option>(1ms);
        }),
        HasSubstr("closing would block the loop for 1 s; wait for the peer's end")
    );
    pair.client.template set_option<option>(std::nullopt);
    EXPECT_EQ(pair.client.template get_option<option>(), std::nullopt);
}

STREAM_TEST(options_of_a_closed_stream_are_an_error) {
    auto pair = co_await Kind::connected();
    co_await pair.client.aclose();
    EXPECT_THROW(
        (void)pair.client.template get_option<socket_option::keep_alive>(),
        closed_resource_error
    );
    EXPECT_THROW(
        pair.client.template set_option<socket_option::keep_alive>(true),
        closed_resource_error
    );
    EXPECT_EQ(pair.client.native_handle(), -1);
}

ANYIO_TEST(tcp_stream_base, keeps_alive_as_it_is_told) {
    auto pair = co_await support::connected_pair();
    socket_stream& stream = pair.client;
    EXPECT_TRUE(stream.get_option<socket_option::no_delay>());
    stream.set_option<socket_option::no_delay>(false);
    EXPECT_FALSE(stream.get_option<socket_option::no_delay>());
    EXPECT_FALSE(stream.get_option<socket_option::keep_alive>());
    stream.set_option<socket_option::keep_alive>(true);
    EXPECT_TRUE(stream.get_option<socket_option::keep_alive>());
    stream.set_option<socket_option::keep_alive_idle>(1min);
    EXPECT_EQ(stream.get_option<socket_option::keep_alive_idle>(), 60s);
    stream.set_option<socket_option::keep_alive_interval>(2500ms);
    EXPECT_EQ(stream.get_option<socket_option::keep_alive_interval>(), 3s);
    stream.set_option<socket_option::keep_alive_count>(4);
    EXPECT_EQ(stream.get_option<socket_option::keep_alive_count>(), 4);
    stream.set_option<socket_option::user_timeout>(1500us);
    EXPECT_EQ(stream.get_option<socket_option::user_timeout>(), 2ms);
    stream.set_option<socket_option::not_sent_low_water>(16384);
    EXPECT_EQ(stream.get_option<socket_option::not_sent_low_water>(), 16384);
}

ANYIO_TEST(tcp_stream_base, refuses_values_with_the_name_of_the_option) {
    auto pair = co_await support::connected_pair();
    const std::string refused = message_thrown_by<os_error>([&] {
        pair.client.set_option<socket_option::keep_alive_idle>(forever);
    });
    EXPECT_THAT(
        refused,
        ::testing::MatchesRegex(
            "set_option keep_alive_idle of socket_stream 127.0.0.1:[0-9]+ → "
            "127.0.0.1:[0-9]+: invalid argument \\(EINVAL\\)"
        )
    );
}

ANYIO_TEST(unix_stream_base, does_not_have_the_options_of_tcp) {
    auto pair = support::connected_unix_pair();
    EXPECT_THAT(
        message_thrown_by<os_error>([&] {
            pair.client.set_option<socket_option::no_delay>(true);
        }),
        HasSubstr("set_option no_delay of unix_socket_stream")
    );
    co_return;
}
