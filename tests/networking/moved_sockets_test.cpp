// SPDX-License-Identifier: MIT
#include <anyio/networking/socket_stream.hpp>
#include "networking/connections.hpp"
#include "support/anyio_test.hpp"
#include "support/temporary_folder.hpp"

// Sockets that are moved from and moved over.

using namespace anyio;
using namespace std::chrono_literals;
using support::connected_pair;

ANYIO_TEST(moved_sockets, streams) {
    auto one = co_await connected_pair();
    auto two = co_await connected_pair();
    one.client = std::move(two.client);
    const auto ended = co_await fail_after(30s, one.server.next());
    EXPECT_FALSE(ended) << "what it was is closed at once";
    auto refused = co_await as_outcome(two.client.send("x"));
    EXPECT_TRUE(is_error<closed_resource_error>(refused.error()));
    co_await one.client.send("x");
    const auto chunk = co_await two.server.receive();
    EXPECT_EQ(chunk, "x");
    auto& same = one.client;
    one.client = std::move(same);
    co_await one.client.send("y");
}

ANYIO_TEST(moved_sockets, listeners) {
    auto one = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    auto two = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    const auto port_of_one = one.local_port();
    const auto port_of_two = two.local_port();
    one = std::move(two);
    EXPECT_EQ(one.local_port(), port_of_two);
    auto refused =
        co_await as_outcome(fail_after(30s, connect_tcp("127.0.0.1", port_of_one)));
    EXPECT_TRUE(refused.has_error()) << "what it was is closed at once";
    auto client = co_await connect_tcp("127.0.0.1", port_of_two);
    (void)client;
    auto closed =
        co_await as_outcome(with(create_task_group(), [&](task_group& tg) -> task<> {
            co_await two.serve([](socket_stream) -> task<> { co_return; }, tg);
        }));
    EXPECT_THAT(message_of(closed.error()), ::testing::Not("no error"));
}

ANYIO_TEST(moved_sockets, datagrams) {
    auto one = co_await create_udp_socket({.local_host = "127.0.0.1"});
    auto two = co_await create_udp_socket({.local_host = "127.0.0.1"});
    auto three = std::move(one);
    auto refused = co_await as_outcome(one.receive());
    EXPECT_TRUE(is_error<closed_resource_error>(refused.error()));
    three = std::move(two);
    auto refused_too = co_await as_outcome(two.receive());
    EXPECT_TRUE(is_error<closed_resource_error>(refused_too.error()));
}
