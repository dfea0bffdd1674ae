// SPDX-License-Identifier: MIT
#include <anyio/networking/socket_stream.hpp>
#include "lowlevel/task_report.hpp"
#include "networking/connections.hpp"

#include <memory>
#include <optional>

#include <fcntl.h>

using namespace anyio;
using support::connected_pair;
using support::pattern;
using support::stream_pair;
using ::testing::HasSubstr;

ANYIO_TEST(socket_stream_close, refuses_everything_afterwards) {
    stream_pair pair = co_await connected_pair();
    const int fd = pair.server.native_handle();
    co_await pair.server.aclose();
    co_await pair.server.aclose();  // does nothing
    EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
    EXPECT_TRUE(pair.server.is_closed());
    EXPECT_EQ(pair.server.native_handle(), -1);
    const auto received = co_await as_outcome(pair.server.receive());
    EXPECT_TRUE(is_error<closed_resource_error>(received.error()));
    EXPECT_EQ(
        message_of(received.error()),
        "receive on socket_stream ← " + to_string(pair.server.remote_address()) +
            ": the stream is closed, or was moved from"
    );
    const auto sent = co_await as_outcome(pair.server.send("x"));
    EXPECT_TRUE(is_error<closed_resource_error>(sent.error()));
    const auto nothing_sent = co_await as_outcome(pair.server.send(""));
    EXPECT_TRUE(is_error<closed_resource_error>(nothing_sent.error()));
    const auto ended = co_await as_outcome(pair.server.send_eof());
    EXPECT_TRUE(is_error<closed_resource_error>(ended.error()));
    EXPECT_THAT(message_of(ended.error()), HasSubstr("send_eof on socket_stream"));
}

ANYIO_TEST(socket_stream_close, by_another_task_ends_both_directions) {
    stream_pair pair = co_await connected_pair();
    support::use_small_buffers(pair);
    outcome<bytes> received;
    outcome<void> sent;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon({.name = "reader"}, [&]() -> task<> {
            received = co_await as_outcome(pair.server.receive());
        });
        group.start_soon({.name = "writer"}, [&]() -> task<> {
            sent = co_await as_outcome(pair.server.send(pattern(5'000'000)));
        });
        co_await wait_all_tasks_blocked();
        group.start_soon({.name = "closer"}, [&]() -> task<> {
            co_await pair.server.aclose();
        });
    });
    EXPECT_TRUE(is_error<closed_resource_error>(received.error()));
    EXPECT_TRUE(is_error<closed_resource_error>(sent.error()));
    EXPECT_THAT(
        message_of(received.error()),
        HasSubstr(": the stream was closed by \"closer\" while this task waited")
    );
}

ANYIO_TEST(socket_stream_close, by_destruction_ends_waiting_tasks_safely) {
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

ANYIO_TEST(socket_stream_close, in_the_pass_in_which_data_came_does_not_lose_the_data) {
    auto first = std::make_unique<stream_pair>(co_await connected_pair());
    stream_pair second = co_await connected_pair();
    std::string got;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const bytes chunk = co_await second.server.receive();
            first.reset();  // the other task has its result, and has not run
            EXPECT_EQ(chunk, as_bytes("1"));
        });
        group.start_soon([&]() -> task<> {
            const bytes chunk = co_await first->server.receive();
            got = chunk.str();
        });
        co_await wait_all_tasks_blocked();
        support::send_now(second.client, "1");
        support::send_now(first->client, "2");
    });
    EXPECT_EQ(got, "2");
}

ANYIO_TEST(socket_stream_close, by_moving_another_stream_into_it) {
    stream_pair one = co_await connected_pair();
    stream_pair two = co_await connected_pair();
    one.server = std::move(two.server);
    const auto end = co_await one.client.next();
    EXPECT_FALSE(end);
    co_await two.client.send("moved");
    const bytes moved = co_await one.server.receive();
    EXPECT_EQ(moved, as_bytes("moved"));
}

TEST(socket_stream_close, after_the_run_has_ended_is_allowed) {
    std::optional<stream_pair> kept;
    int fd = -1;
    run([&]() -> task<> {
        kept.emplace(co_await connected_pair());
        fd = kept->server.native_handle();
    });
    EXPECT_GE(::fcntl(fd, F_GETFD), 0);
    const auto message = run([&]() -> task<std::string> {
        const auto received = co_await as_outcome(kept->server.receive());
        EXPECT_TRUE(is_error<usage_error>(received.error()));
        co_return message_of(received.error());
    });
    EXPECT_THAT(
        message, HasSubstr("belongs to another event loop, or to one that has ended")
    );
    kept.reset();
    EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
}

ANYIO_TEST(socket_stream_busy, names_both_tasks) {
    stream_pair pair = co_await connected_pair();
    outcome<bytes> second;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon({.name = "reader-2"}, [&]() -> task<> {
            const bytes chunk = co_await pair.server.receive();
            EXPECT_EQ(chunk, as_bytes("for the first"));
        });
        co_await wait_all_tasks_blocked();
        auto other = group.create_task({.name = "reader-7"}, [&]() -> task<> {
            second = co_await as_outcome(pair.server.receive());
        });
        co_await other.wait();
        co_await pair.client.send("for the first");
    });
    const auto* const busy = caught_as<busy_resource_error>(second.error());
    ANYIO_REQUIRE(busy);
    EXPECT_EQ(busy->action(), "receiving");
    EXPECT_EQ(
        std::string(busy->what()),
        "receive on socket_stream " + to_string(pair.server.local_address()) + " ← " +
            to_string(pair.server.remote_address()) +
            ": another task is already receiving: \"reader-2\" (this is \"reader-7\"); "
            "give each stream one reader"
    );
}

ANYIO_TEST(socket_stream_busy, concerns_each_direction_by_itself) {
    stream_pair pair = co_await connected_pair();
    support::use_small_buffers(pair);
    const std::string text = pattern(5'000'000);
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon({.name = "writer"}, [&]() -> task<> {
            co_await pair.server.send(text);
        });
        group.start_soon({.name = "reader"}, [&]() -> task<> {
            co_await pair.server.receive();
        });
        co_await wait_all_tasks_blocked();
        const auto sent = co_await as_outcome(pair.server.send("x"));
        EXPECT_TRUE(is_error<busy_resource_error>(sent.error()));
        EXPECT_THAT(
            message_of(sent.error()),
            HasSubstr("another task is already sending: \"writer\"")
        );
        const auto ended = co_await as_outcome(pair.server.send_eof());
        EXPECT_TRUE(is_error<busy_resource_error>(ended.error()));
        const auto received = co_await as_outcome(pair.server.next());
        EXPECT_TRUE(is_error<busy_resource_error>(received.error()));
        group.cancel();
    });
}

ANYIO_TEST(socket_stream_report, says_what_a_task_waits_for) {
    stream_pair pair = co_await connected_pair();
    std::string report;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> { co_await pair.server.receive(); });
        co_await wait_all_tasks_blocked();
        report = lowlevel::report_tasks(*lowlevel::this_loop);
        group.cancel();
    });
    EXPECT_THAT(
        report,
        HasSubstr(describe(
            "waiting in socket_stream::receive, fd ",
            pair.server.native_handle(),
            ", "
            "socket_stream ",
            pair.server.local_address(),
            " ← ",
            pair.server.remote_address()
        ))
    );
}
