// SPDX-License-Identifier: MIT
#include <anyio/networking/socket_stream.hpp>
#include "networking/connections.hpp"

#include <array>
#include <random>

using namespace anyio;
using namespace std::chrono_literals;
using support::connected_pair;
using support::pattern;
using support::receive_all;
using support::stream_pair;

ANYIO_TEST(socket_stream_cancel, before_it_begins_a_receive_takes_nothing) {
    stream_pair pair = co_await connected_pair();
    co_await pair.client.send("kept");
    co_await wait_all_tasks_blocked();
    cancel_scope scope;
    scope.cancel();
    const bool finished = co_await with(scope, [&]() -> task<> {
        const bytes lost = co_await pair.server.receive();
        ADD_FAILURE() << "received " << lost.size() << " bytes";
    });
    EXPECT_FALSE(finished);
    const bytes kept = co_await pair.server.receive();
    EXPECT_EQ(kept, as_bytes("kept"));
}

ANYIO_TEST(socket_stream_cancel, before_it_begins_a_send_sends_nothing) {
    stream_pair pair = co_await connected_pair();
    cancel_scope scope;
    scope.cancel();
    co_await with(scope, [&]() -> task<> { co_await pair.client.send("not sent"); });
    cancel_scope eof_scope;
    eof_scope.cancel();
    co_await with(eof_scope, [&]() -> task<> { co_await pair.client.send_eof(); });
    co_await pair.client.send("sent");
    co_await pair.client.send_eof();
    const std::string all = co_await receive_all(pair.server);
    EXPECT_EQ(all, "sent");
}

ANYIO_TEST(socket_stream_cancel, while_it_waits_a_receive_leaves_the_stream_usable) {
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

ANYIO_TEST(socket_stream_cancel, while_it_waits_a_send_stops_at_some_byte) {
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

// Both complete in one look at the system: the first task cancels the second, which has
// its data already (rule K2).
ANYIO_TEST(socket_stream_cancel, in_the_pass_in_which_the_data_came_returns_the_data) {
    stream_pair first = co_await connected_pair();
    stream_pair second = co_await connected_pair();
    int received = 0;
    int cancelled = 0;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        std::array<cancel_scope, 2> scopes;
        const auto read = [&](socket_stream& stream, std::size_t self) -> task<> {
            const bool finished = co_await with(scopes[self], [&]() -> task<> {
                const bytes chunk = co_await stream.receive();
                EXPECT_EQ(chunk, as_bytes("x"));
                ++received;
                scopes[1 - self].cancel();
                co_await lowlevel::checkpoint();
            });
            cancelled += finished ? 0 : 1;
        };
        auto one = group.create_task(read, std::ref(first.server), std::size_t{0});
        auto two = group.create_task(read, std::ref(second.server), std::size_t{1});
        co_await wait_all_tasks_blocked();
        support::send_now(first.client, "x");
        support::send_now(second.client, "x");
        co_await one.wait();
        co_await two.wait();
    });
    EXPECT_EQ(received, 2);
    EXPECT_EQ(cancelled, 2);
}

ANYIO_TEST(
    socket_stream_cancel, shielded_receive_returns_and_the_cancellation_follows
) {
    stream_pair pair = co_await connected_pair();
    std::string got;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const bytes chunk = co_await shielded(pair.server.receive());
            got = chunk.str();
            co_await lowlevel::checkpoint();
            ADD_FAILURE() << "not cancelled";
        });
        co_await wait_all_tasks_blocked();
        group.cancel();
        co_await shielded(pair.client.send("shielded"));
    });
    EXPECT_EQ(got, "shielded");
}

ANYIO_TEST(socket_stream_cancel, of_a_whole_group_ends_readers_and_writers) {
    stream_pair pair = co_await connected_pair();
    support::use_small_buffers(pair);
    const std::string text = pattern(5'000'000);
    const bool finished =
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            group.start_soon([&]() -> task<> {
                while (co_await pair.client.next()) {
                }
            });
            group.start_soon([&]() -> task<> { co_await pair.client.send(text); });
            group.start_soon([&]() -> task<> {
                while (co_await pair.server.next(1)) {
                    co_await sleep_forever();
                }
            });
            co_await wait_all_tasks_blocked();
            group.cancel();
        });
    EXPECT_TRUE(finished);
}

ANYIO_TEST(socket_stream_cancel, closing_in_a_cancelled_scope_closes_all_the_same) {
    stream_pair pair = co_await connected_pair();
    cancel_scope scope;
    scope.cancel();
    const bool finished = co_await with(scope, [&]() -> task<> {
        co_await pair.server.aclose();
        ADD_FAILURE() << "not cancelled";
    });
    EXPECT_FALSE(finished);
    EXPECT_TRUE(pair.server.is_closed());
    const auto end = co_await pair.client.next();
    EXPECT_FALSE(end);
}

ANYIO_TEST(socket_stream_cancel, a_deadline_that_never_comes_costs_nothing_visible) {
    stream_pair pair = co_await connected_pair();
    for (int i = 0; i < 100; ++i) {
        co_await fail_after(1h, pair.client.send("ping"));
        const bytes ping = co_await fail_after(1h, pair.server.receive());
        EXPECT_EQ(ping, as_bytes("ping"));
    }
    EXPECT_EQ(current_time().time_since_epoch(), 0ns);
}

// Cancellations at every moment, in every state of a receive: no byte is lost or doubled.
ANYIO_TEST(socket_stream_cancel, at_random_moments_never_loses_a_byte) {
    stream_pair pair = co_await connected_pair();
    support::use_small_buffers(pair);
    const std::string sent = pattern(1'000'000);
    std::string received;
    std::minstd_rand random(7);
    cancel_scope* current = nullptr;
    int cancelled = 0;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            std::size_t done = 0;
            while (done < sent.size()) {
                const std::size_t some = 1 + random() % 5000;
                done += co_await pair.client.send_some(
                    std::string_view(sent).substr(done, some)
                );
                if (random() % 2 == 0)
                    co_await lowlevel::checkpoint();
            }
            co_await pair.client.send_eof();
        });
        group.start_soon([&]() -> task<> {
            for (;;) {
                if (current && random() % 3 == 0)
                    current->cancel();
                co_await lowlevel::checkpoint();
            }
        });
        for (bool more = true; more;) {
            cancel_scope scope;
            current = &scope;
            const bool finished = co_await with(scope, [&]() -> task<> {
                const auto chunk = co_await pair.server.next(1 + random() % 70000);
                more = chunk.has_value();
                if (chunk)
                    received += std::string_view(*chunk);
            });
            current = nullptr;
            cancelled += finished ? 0 : 1;
        }
        group.cancel();
    });
    EXPECT_TRUE(received == sent);
    EXPECT_GT(cancelled, 10);
}
