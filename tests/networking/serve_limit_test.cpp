// SPDX-License-Identifier: MIT
#include <anyio/networking/socket_listener.hpp>
#include "networking/unix_connections.hpp"
#include "support/own_name.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <vector>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

static_assert(std::is_trivially_destructible_v<serve_options>);
static_assert(std::is_aggregate_v<serve_options>);

namespace {

/// Both kinds of listeners, and how to connect to them.
struct over_tcp {
    using stream = socket_stream;

    static task<tcp_listener> listen() {
        return create_tcp_listener({.local_host = "127.0.0.1"});
    }

    static task<socket_stream> connect(const tcp_listener& listener) {
        return connect_tcp("127.0.0.1", listener.local_port());
    }
};

struct over_unix {
    using stream = unix_socket_stream;

    static task<unix_listener> listen() {
        return create_unix_listener(support::own_name("limit"));
    }

    static task<unix_socket_stream> connect(const unix_listener& listener) {
        return connect_unix(listener.local_address());
    }
};

/// Keeps a connection until its client ends it.
template <class Stream>
task<> hold(Stream client) {
    co_await client.send("in");
    while (auto chunk = co_await client.next()) {
    }
}

template <class Stream>
task<bool> is_served(Stream& client) {
    const auto in = co_await move_on_after(1ms, client.receive());
    co_return in.has_value();
}

}  // namespace

/// A test of both kinds of listeners; its body has the template parameter `Over`.
#define SERVE_LIMIT_TEST(name)                                                         \
    template <class Over>                                                              \
    static task<> check_##name();                                                      \
    ANYIO_TEST(tcp_serve_limit, name) {                                                \
        co_await check_##name<over_tcp>();                                             \
    }                                                                                  \
    ANYIO_TEST(unix_serve_limit, name) {                                               \
        co_await check_##name<over_unix>();                                            \
    }                                                                                  \
    template <class Over>                                                              \
    static task<> check_##name()

SERVE_LIMIT_TEST(accepting_stops_there_and_goes_on_when_one_ends) {
    auto listener = co_await Over::listen();
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            co_await listener.serve(
                &hold<typename Over::stream>, {.max_connections = 2}
            );
        });
        std::vector<typename Over::stream> clients;
        for (int i = 0; i < 4; ++i)
            clients.push_back(co_await Over::connect(listener));
        std::vector<bool> served;
        for (auto& client : clients)
            served.push_back(co_await is_served(client));
        EXPECT_THAT(served, ElementsAre(true, true, false, false));
        co_await clients[1].aclose();
        const bool third = co_await is_served(clients[2]);
        const bool not_yet = co_await is_served(clients[3]);
        EXPECT_TRUE(third);
        EXPECT_FALSE(not_yet);
        co_await clients[0].aclose();
        const bool fourth = co_await is_served(clients[3]);
        EXPECT_TRUE(fourth);
        group.cancel();
    });
}

SERVE_LIMIT_TEST(never_are_more_served_at_a_time_and_all_are_in_the_end) {
    auto listener = co_await Over::listen();
    int now = 0;
    int most = 0;
    int all = 0;
    const auto handler = [&](typename Over::stream client) -> task<> {
        most = std::max(most, ++now);
        while (auto chunk = co_await client.next())
            co_await sleep(1ms);
        --now;
        ++all;
    };
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            co_await listener.serve(handler, {.max_connections = 3});
        });
        co_await with(create_task_group(), [&](task_group& clients) -> task<> {
            for (int i = 0; i < 30; ++i)
                clients.start_soon([&]() -> task<> {
                    auto client = co_await Over::connect(listener);
                    co_await client.send("x");
                    co_await client.send_eof();
                    const auto end = co_await client.next();
                    EXPECT_FALSE(end);
                });
            co_return;
        });
        group.cancel();
    });
    EXPECT_EQ(most, 3);
    EXPECT_EQ(all, 30);
}

SERVE_LIMIT_TEST(handlers_of_your_group_count_as_long_as_they_live) {
    auto listener = co_await Over::listen();
    co_await with(create_task_group(), [&](task_group& handlers) -> task<> {
        std::optional<typename Over::stream> first;
        std::optional<typename Over::stream> second;
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            group.start_soon([&]() -> task<> {
                co_await listener.serve(
                    &hold<typename Over::stream>, handlers, {.max_connections = 1}
                );
            });
            first.emplace(co_await Over::connect(listener));
            second.emplace(co_await Over::connect(listener));
            const bool one = co_await is_served(*first);
            const bool two = co_await is_served(*second);
            EXPECT_TRUE(one);
            EXPECT_FALSE(two);
            group.cancel();
        });
        // The place is given back to a limit that nobody waits for any more.
        co_await first->aclose();
        co_await wait_all_tasks_blocked();
        const bool still_waiting = co_await is_served(*second);
        EXPECT_FALSE(still_waiting);
    });
    auto server = co_await listener.accept();
}

SERVE_LIMIT_TEST(cancelled_at_the_limit_the_listener_stays_usable) {
    auto listener = co_await Over::listen();
    auto first = co_await Over::connect(listener);
    auto second = co_await Over::connect(listener);
    const bool finished = co_await move_on_after(
        1s, listener.serve(&hold<typename Over::stream>, {.max_connections = 1})
    );
    EXPECT_FALSE(finished);
    auto server =
        co_await listener.accept();  // the second: it has not been accepted yet
    co_await server.send("late");
    const bytes got = co_await second.receive();
    EXPECT_EQ(got, as_bytes("late"));
}

SERVE_LIMIT_TEST(closed_at_the_limit_ends_the_server) {
    std::optional listener(co_await Over::listen());
    for (const bool destroyed : {false, true}) {
        auto client = co_await Over::connect(*listener);
        outcome<void> served;
        outcome<typename Over::stream> second;
        co_await with(create_task_group(), [&](task_group& handlers) -> task<> {
            co_await with(create_task_group(), [&](task_group& group) -> task<> {
                group.start_soon({.name = "server"}, [&]() -> task<> {
                    served = co_await as_outcome(listener->serve(
                        &hold<typename Over::stream>, handlers, {.max_connections = 1}
                    ));
                });
                const bool one = co_await is_served(client);
                EXPECT_TRUE(one);
                second = co_await as_outcome(listener->accept());
                if (destroyed)
                    listener.reset();
                else
                    co_await listener->aclose();
            });
            handlers.cancel();
        });
        EXPECT_THAT(
            message_of(second.error()), HasSubstr("already accepting: \"server\"")
        );
        EXPECT_TRUE(is_error<closed_resource_error>(served.error()));
        EXPECT_THAT(message_of(served.error()), HasSubstr("while this task waited"));
        if (!destroyed)
            listener.emplace(co_await Over::listen());
    }
}

SERVE_LIMIT_TEST(whatever_comes_of_a_handler_its_stream_is_closed) {
    auto listener = co_await Over::listen();
    auto first = co_await Over::connect(listener);
    auto second = co_await Over::connect(listener);
    int calls = 0;
    // The first throws while the second waits: it is cancelled.
    const auto served =
        co_await as_outcome(listener.serve([&](typename Over::stream client) -> task<> {
            if (++calls == 2)
                co_await client.receive();
            co_await sleep(1ms);
            throw std::runtime_error("handler failed");
        }));
    EXPECT_THAT(messages_of(served.error()), ElementsAre("handler failed"));
    EXPECT_EQ(calls, 2);
    const auto one = co_await first.next();
    const auto two = co_await second.next();
    EXPECT_FALSE(one);
    EXPECT_FALSE(two);
}

SERVE_LIMIT_TEST(a_handler_may_take_the_connection_by_reference) {
    auto listener = co_await Over::listen();
    auto client = co_await Over::connect(listener);
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            co_await listener.serve([](typename Over::stream&& stream) -> task<> {
                co_await lowlevel::checkpoint();
                co_await stream.send("from what the task keeps");
            });
        });
        const std::string got = co_await support::all_of(client);
        EXPECT_EQ(got, "from what the task keeps");
        group.cancel();
    });
}

SERVE_LIMIT_TEST(of_none_is_a_mistake) {
    auto listener = co_await Over::listen();
    const auto served = co_await as_outcome(
        listener.serve(&hold<typename Over::stream>, {.max_connections = 0})
    );
    EXPECT_TRUE(is_error<usage_error>(served.error()));
    EXPECT_THAT(
        message_of(served.error()), HasSubstr("max_connections is 0; nobody would be")
    );
}
