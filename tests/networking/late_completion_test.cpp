// SPDX-License-Identifier: MIT
#include "networking/connections.hpp"
#include "networking/late_backend.hpp"

#include <array>
#include <memory>
#include <optional>

#include <fcntl.h>
#include <unistd.h>

// Rule K4: on a backend that cannot stop an operation at once, frames and buffers stay
// until it has ended, and what it has done until then counts. Time is real here.

using namespace anyio;
using namespace std::chrono_literals;
using support::connected_pair;
using support::pattern;
using support::receive_all;
using support::stream_pair;

ANYIO_LATE_TEST(late_completion, a_receive_that_waits_is_unwound_when_it_has_ended) {
    stream_pair pair = co_await connected_pair();
    for (int i = 0; i < 3; ++i) {
        const auto nothing = co_await move_on_after(1ms, pair.server.receive());
        EXPECT_FALSE(nothing);
        std::array<std::byte, 10> buffer{};
        const auto none = co_await move_on_after(1ms, pair.server.receive_some(buffer));
        EXPECT_FALSE(none);
    }
    co_await pair.client.send("still here");
    const bytes chunk = co_await pair.server.receive();
    EXPECT_EQ(chunk, as_bytes("still here"));
}

ANYIO_LATE_TEST(late_completion, data_that_comes_after_the_cancellation_is_returned) {
    stream_pair pair = co_await connected_pair();
    std::string got;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        auto reader = group.create_task([&]() -> task<> {
            const bytes chunk = co_await pair.server.receive();
            got = chunk.str();
            co_await lowlevel::checkpoint();
            ADD_FAILURE() << "the next checkpoint unwinds";
        });
        co_await wait_all_tasks_blocked();
        reader.cancel();
        co_await pair.client.send("late, but here");
        co_await reader.wait();
        EXPECT_EQ(reader.status(), task_handle_status::cancelled);
    });
    EXPECT_EQ(got, "late, but here");
}

ANYIO_LATE_TEST(
    late_completion, a_send_that_goes_on_after_the_cancellation_sends_no_more
) {
    stream_pair pair = co_await connected_pair();
    support::use_small_buffers(pair);
    const std::string text = pattern(5'000'000);
    const bool finished = co_await move_on_after(1ms, pair.client.send(text));
    EXPECT_FALSE(finished);
    co_await pair.client.send_eof();
    const std::string got = co_await receive_all(pair.server);
    EXPECT_LT(got.size(), text.size());
    EXPECT_TRUE(text.starts_with(got));
}

ANYIO_LATE_TEST(
    late_completion, a_stream_destroyed_with_waiters_leaves_them_their_memory
) {
    auto pair = std::make_unique<stream_pair>(co_await connected_pair());
    support::use_small_buffers(*pair);
    outcome<bytes> received;
    outcome<void> sent;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            received = co_await as_outcome(pair->server.receive());
        });
        group.start_soon([&]() -> task<> {
            sent = co_await as_outcome(pair->server.send(pattern(5'000'000)));
        });
        co_await wait_all_tasks_blocked();
        pair.reset();
    });
    EXPECT_TRUE(is_error<closed_resource_error>(received.error()));
    EXPECT_TRUE(is_error<closed_resource_error>(sent.error()));
}

ANYIO_LATE_TEST(
    late_completion, a_stream_closed_while_a_cancelled_receive_ends_leaves_it_cancelled
) {
    stream_pair pair = co_await connected_pair();
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        auto reader = group.create_task([&]() -> task<> {
            const auto received = co_await as_outcome(pair.server.receive());
            EXPECT_TRUE(received.is_cancelled());
        });
        co_await wait_all_tasks_blocked();
        reader.cancel();
        co_await pair.server.aclose();
    });
}

ANYIO_LATE_TEST(late_completion, an_accept_that_comes_too_late_is_kept_for_the_next) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    std::optional<socket_stream> client;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        auto nobody = group.create_task([&]() -> task<> {
            co_await listener.accept();
            ADD_FAILURE() << "accepted";
        });
        co_await wait_all_tasks_blocked();
        nobody.cancel();
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(listener.local_port());
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
        co_await nobody.wait();
        co_await lowlevel::checkpoint();
        auto server = co_await listener.accept();
        EXPECT_EQ(
            server.remote_address().address(), ip_address(ipv4_address::loopback())
        );
        ::close(fd);
        const auto end = co_await server.next();
        EXPECT_FALSE(end);
    });
}

ANYIO_LATE_TEST(late_completion, accepting_goes_on_after_a_cancelled_accept) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    for (int i = 0; i < 3; ++i) {
        const auto nobody = co_await move_on_after(1ms, listener.accept());
        EXPECT_FALSE(nobody);
        auto client = co_await connect_tcp("127.0.0.1", listener.local_port());
        auto server = co_await listener.accept();
        EXPECT_EQ(server.remote_address(), client.local_address());
    }
}

ANYIO_LATE_TEST(late_completion, a_listener_destroyed_while_a_task_accepts_ends_it) {
    std::optional<tcp_listener> listener;
    listener.emplace(co_await create_tcp_listener());
    outcome<socket_stream> accepted;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            accepted = co_await as_outcome(listener->accept());
        });
        co_await wait_all_tasks_blocked();
        listener.reset();
    });
    EXPECT_TRUE(is_error<closed_resource_error>(accepted.error()));
    co_await sleep(1ms);  // what is left of it ends
}

ANYIO_LATE_TEST(late_completion, waiting_for_a_descriptor_ends_late_too) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
    const bool nothing = co_await move_on_after(1ms, wait_readable(ends[0]));
    EXPECT_FALSE(nothing);
    EXPECT_EQ(::write(ends[1], "x", 1), 1);
    co_await wait_readable(ends[0]);
    ::close(ends[0]);
    ::close(ends[1]);
}
