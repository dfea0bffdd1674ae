// SPDX-License-Identifier: MIT
// What the loopback interface never does: links that lose packets, go down, lead nowhere.
#include "networking/connections.hpp"
#include "support/network.hpp"
#include "support/skip.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

using namespace anyio;
using namespace std::chrono_literals;
using support::network;
using support::pattern;
using support::stream_pair;
using ::testing::HasSubstr;

namespace {

#define NEEDS_NETWORKS                                                                 \
    ANYIO_SKIP_UNLESS(support::network_obstacle().empty(), support::network_obstacle())

task<tcp_listener> listen_at_peer(const network& net, const char* host) {
    const network::visit there(net);
    auto listener = co_await create_tcp_listener({.local_host = host});
    co_return listener;
}

task<stream_pair> connected_pair(const network& net, connect_tcp_options options = {}) {
    auto listener = co_await listen_at_peer(net, network::peer_v4);
    const std::uint16_t port = listener.local_port();
    auto client = co_await connect_tcp(network::peer_v4, port, options);
    auto server = co_await listener.accept();
    co_return stream_pair(std::move(client), std::move(server));
}

/// Two addresses for any name: one that swallows everything, one that answers.
class two_addresses final : public resolver {
public:
    task<std::vector<ip_endpoint>>
    getaddrinfo(std::string, std::uint16_t port, getaddrinfo_options) override {
        std::vector<ip_endpoint> found;
        found.emplace_back(*ip_address::parse("fd77::dead"), port);
        found.emplace_back(*ip_address::parse(network::peer_v4), port);
        co_return found;
    }
};

}  // namespace

ANYIO_TEST(links, a_black_hole_on_ipv6_costs_a_quarter_of_a_second) {
    NEEDS_NETWORKS
    network net;
    co_await net.add_link();
    // Somebody must be said to be there, or the kernel would answer for him.
    co_await net.ip("-6 neighbour add fd77::dead lladdr 02:00:00:00:00:01 dev here0");
    auto listener = co_await listen_at_peer(net, network::peer_v4);
    two_addresses names;
    resolver* const before = set_resolver(&names);
    const time_point start = current_time();
    auto client = co_await connect_tcp("example.org", listener.local_port());
    EXPECT_EQ(current_time() - start, 250ms);
    EXPECT_EQ(to_string(client.remote_address().address()), network::peer_v4);
    set_resolver(before);
    auto server = co_await listener.accept();
    co_await server.send("hello");
    const bytes hello = co_await client.receive();
    EXPECT_EQ(hello, "hello");
}

ANYIO_TEST(links, a_black_hole_alone_is_ended_by_the_timeout) {
    NEEDS_NETWORKS
    network net;
    co_await net.add_link();
    co_await net.ip("neighbour add 10.77.0.66 lladdr 02:00:00:00:00:01 dev here0");
    const auto ended =
        co_await as_outcome(fail_after(10s, connect_tcp("10.77.0.66", 80)));
    EXPECT_TRUE(is_error<timeout_error>(ended.error()));
}

ANYIO_TEST(links, a_network_without_a_route_is_an_error_at_once) {
    NEEDS_NETWORKS
    network net;
    co_await net.add_link();
    const auto ended = co_await as_outcome(connect_tcp("192.0.2.1", 80));
    EXPECT_TRUE(is_error<connection_failed>(ended.error()));
    EXPECT_EQ(
        message_of(ended.error()),
        "connect_tcp 192.0.2.1:80: network is unreachable (ENETUNREACH)"
    );
}

ANYIO_TEST(links, five_percent_loss_and_a_long_way_change_nothing_in_what_arrives) {
    NEEDS_NETWORKS
    network net;
    co_await net.add_bad_link();
    stream_pair pair = co_await connected_pair(net);
    const std::string data = pattern(300'000);
    std::string to_server;
    std::string to_client;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        auto send = [&](socket_stream& from) -> task<> {
            co_await from.send(data);
            co_await from.send_eof();
        };
        tg.start_soon(send, std::ref(pair.client));
        tg.start_soon(send, std::ref(pair.server));
        tg.start_soon([&]() -> task<> {
            to_server = co_await support::receive_all(pair.server);
        });
        to_client = co_await support::receive_all(pair.client);
    });
    EXPECT_TRUE(to_server == data);
    EXPECT_TRUE(to_client == data);
}

ANYIO_TEST(links, a_connection_whose_link_dies_is_found_out_by_a_timeout) {
    NEEDS_NETWORKS
    network net;
    co_await net.add_link();
    stream_pair pair = co_await connected_pair(net);
    co_await pair.client.send("hello");
    const bytes hello = co_await pair.server.receive();
    EXPECT_EQ(hello, "hello");
    co_await net.ip_at_peer("link set peer0 down");
    co_await pair.server.send("never arrives");  // TCP goes on trying, and says nothing
    const auto received = co_await as_outcome(fail_after(30s, pair.client.receive()));
    EXPECT_TRUE(is_error<timeout_error>(received.error()));
}

ANYIO_TEST(links, a_connection_whose_link_dies_breaks_when_tcp_gives_up) {
    NEEDS_NETWORKS
    network net;
    co_await net.add_link();
    stream_pair pair = co_await connected_pair(net);
    const unsigned give_up_ms = 300;
    ::setsockopt(
        pair.client.native_handle(),
        IPPROTO_TCP,
        TCP_USER_TIMEOUT,
        &give_up_ms,
        sizeof(give_up_ms)
    );
    co_await net.ip_at_peer("link set peer0 down");
    co_await pair.client.send("is anybody there?");
    const auto received = co_await as_outcome(pair.client.receive());
    EXPECT_TRUE(is_error<broken_resource_error>(received.error()));
    EXPECT_THAT(message_of(received.error()), HasSubstr("(E"));  // which one is TCP's
}

ANYIO_TEST(links, a_link_that_comes_back_goes_on_where_it_was) {
    NEEDS_NETWORKS
    network net;
    co_await net.add_link();
    stream_pair pair = co_await connected_pair(net);
    const std::string data = pattern(20'000'000);
    std::string received;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await pair.server.send(data);
            co_await pair.server.send_eof();
        });
        const bytes first = co_await pair.client.receive(1'000'000);
        received += first.str();
        co_await net.ip_at_peer("link set peer0 down");
        co_await net.ip_at_peer("link set peer0 up");
        const std::string rest = co_await support::receive_all(pair.client);
        received += rest;
    });
    EXPECT_TRUE(received == data);
}

ANYIO_TEST(links, the_source_address_is_the_one_that_was_asked_for) {
    NEEDS_NETWORKS
    network net;
    co_await net.add_link();
    co_await net.ip("address add 10.77.0.11/24 dev here0");
    stream_pair usual = co_await connected_pair(net);
    EXPECT_EQ(to_string(usual.server.remote_address().address()), network::here_v4);
    stream_pair chosen = co_await connected_pair(net, {.local_host = "10.77.0.11"});
    EXPECT_EQ(to_string(chosen.server.remote_address().address()), "10.77.0.11");
    EXPECT_EQ(chosen.client.local_address(), chosen.server.remote_address());
    const auto foreign =
        co_await as_outcome(connected_pair(net, {.local_host = "10.77.0.12"}));
    EXPECT_TRUE(is_error<connection_failed>(foreign.error()));
    EXPECT_THAT(message_of(foreign.error()), HasSubstr("(EADDRNOTAVAIL)"));
}

ANYIO_TEST(links, the_source_address_may_choose_the_family) {
    NEEDS_NETWORKS
    network net;
    co_await net.add_link();
    auto listener = co_await listen_at_peer(net, "");
    const std::uint16_t port = listener.local_port();
    auto client =
        co_await connect_tcp(network::peer_v6, port, {.local_host = network::here_v6});
    auto server = co_await listener.accept();
    EXPECT_EQ(to_string(server.remote_address().address()), network::here_v6);
    EXPECT_TRUE(client.remote_address().is_v6());
}
