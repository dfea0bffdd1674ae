// SPDX-License-Identifier: MIT
#include "networking/late_backend.hpp"
#include "networking/unix_connections.hpp"
#include "support/own_name.hpp"

#include <memory>
#include <optional>
#include <vector>

// Rule K4, as in late_completion_test.cpp, for what UNIX streams and both kinds have.

using namespace anyio;
using namespace std::chrono_literals;
using support::all_of;
using support::connected_unix_pair;
using support::file_with;
using support::pattern;
using support::unix_pair;

ANYIO_LATE_TEST(
    late_streams, descriptors_that_come_after_the_cancellation_are_returned
) {
    unix_pair pair = connected_unix_pair();
    const unique_fd file = file_with("x");
    const std::vector<int> fds(2, file.get());
    std::size_t got = 0;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        auto reader = group.create_task([&]() -> task<> {
            const received_fds part = co_await pair.server.receive_fds(100, 2);
            got = part.fds.size();
            co_await lowlevel::checkpoint();
            ADD_FAILURE() << "the next checkpoint unwinds";
        });
        co_await wait_all_tasks_blocked();
        reader.cancel();
        co_await pair.client.send_fds("late, but here", fds);
        co_await reader.wait();
    });
    EXPECT_EQ(got, 2u);
}

ANYIO_LATE_TEST(late_streams, a_receive_of_descriptors_is_unwound_when_it_has_ended) {
    unix_pair pair = connected_unix_pair();
    for (int i = 0; i < 3; ++i) {
        const auto nothing = co_await move_on_after(1ms, pair.server.receive_fds(9, 1));
        EXPECT_FALSE(nothing);
    }
    co_await pair.client.send("still here");
    const bytes chunk = co_await pair.server.receive();
    EXPECT_EQ(chunk, as_bytes("still here"));
}

ANYIO_LATE_TEST(late_streams, sends_of_all_kinds_send_no_more_after_the_cancellation) {
    const std::string text = pattern(2'000'000);
    const unique_fd file = file_with(text);
    const std::vector<int> fds(1, file.get());
    const std::vector<byte_view> pieces{
        as_bytes(std::string_view(text).substr(0, 1'000'000)),
        as_bytes(std::string_view(text).substr(1'000'000))
    };
    for (int kind = 0; kind < 3; ++kind) {
        unix_pair pair = connected_unix_pair();
        support::use_small_buffers(pair);
        if (kind == 0) {
            const bool finished = co_await move_on_after(1ms, pair.client.send(pieces));
            EXPECT_FALSE(finished);
        } else if (kind == 1) {
            const bool finished =
                co_await move_on_after(1ms, pair.client.send_fds(text, fds));
            EXPECT_FALSE(finished);
        } else {
            const auto sent =
                co_await move_on_after(1ms, pair.client.send_file(file.get()));
            EXPECT_FALSE(sent);
        }
        co_await pair.client.send_eof();
        const std::string got = co_await all_of(pair.server);
        EXPECT_GT(got.size(), 0u);
        EXPECT_LT(got.size(), text.size());
        EXPECT_TRUE(text.starts_with(got));
    }
}

ANYIO_LATE_TEST(
    late_streams, a_stream_destroyed_with_waiters_leaves_them_their_memory
) {
    const std::string text = pattern(2'000'000);
    const unique_fd file = file_with(text);
    for (int kind = 0; kind < 3; ++kind) {
        auto pair = std::make_unique<unix_pair>(connected_unix_pair());
        support::use_small_buffers(*pair);
        outcome<received_fds> received;
        std::exception_ptr sent;
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            group.start_soon([&]() -> task<> {
                received = co_await as_outcome(pair->client.receive_fds(65536, 10));
            });
            group.start_soon([&]() -> task<> {
                const std::vector<int> fds(1, file.get());
                const std::vector<byte_view> pieces(3, as_bytes(text));
                if (kind == 0) {
                    const auto ended = co_await as_outcome(pair->client.send(pieces));
                    sent = ended.error();
                } else if (kind == 1) {
                    const auto ended =
                        co_await as_outcome(pair->client.send_fds(text, fds));
                    sent = ended.error();
                } else {
                    const auto ended =
                        co_await as_outcome(pair->client.send_file(file.get()));
                    sent = ended.error();
                }
            });
            co_await wait_all_tasks_blocked();
            pair.reset();
        });
        EXPECT_TRUE(is_error<closed_resource_error>(received.error()));
        EXPECT_TRUE(is_error<closed_resource_error>(sent));
    }
}

ANYIO_LATE_TEST(
    late_streams, a_connection_that_comes_too_late_is_kept_for_the_next_accept
) {
    const unix_address at = support::own_name("late");
    auto listener = co_await create_unix_listener(at);
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        auto nobody = group.create_task([&]() -> task<> {
            co_await listener.accept();
            ADD_FAILURE() << "accepted";
        });
        co_await wait_all_tasks_blocked();
        nobody.cancel();
        auto client = co_await connect_unix(at);
        co_await nobody.wait();
        co_await lowlevel::checkpoint();
        auto server = co_await listener.accept();
        co_await server.send("kept");
        const bytes got = co_await client.receive();
        EXPECT_EQ(got, as_bytes("kept"));
    });
}

ANYIO_LATE_TEST(late_streams, a_server_at_its_limit_is_closed_and_cancelled) {
    const unix_address at = support::own_name("late");
    const auto hold = [](unix_socket_stream client) -> task<> {
        co_await client.send("in");
        co_await client.next();
    };
    for (const bool closed : {false, true}) {
        std::optional<unix_listener> listener;
        listener.emplace(co_await create_unix_listener(at));
        outcome<void> served;
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            group.start_soon([&]() -> task<> {
                served = co_await as_outcome(
                    listener->serve(hold, group, {.max_connections = 1})
                );
            });
            auto first = co_await connect_unix(at);
            auto second = co_await connect_unix(at);
            co_await first.receive();
            co_await wait_all_tasks_blocked();
            if (closed) {
                listener.reset();
                co_await first.aclose();
            } else {
                co_await first.aclose();  // the place is the second's
                co_await second.receive();
                group.cancel();
            }
        });
        EXPECT_EQ(is_error<closed_resource_error>(served.error()), closed);
    }
    co_await sleep(1ms);  // what is left of the listener ends
}

ANYIO_LATE_TEST(late_streams, a_connection_is_made_or_cancelled) {
    const unix_address at = support::own_name("late");
    auto listener = co_await create_unix_listener(at, {.backlog = 0});
    auto first = co_await connect_unix(at);
    const auto too_many = co_await move_on_after(5ms, connect_unix(at));
    EXPECT_FALSE(too_many);
    auto server = co_await listener.accept();
}
