// SPDX-License-Identifier: MIT
#include "networking/unix_connections.hpp"
#include "support/own_name.hpp"

#include <array>
#include <vector>

// Operations that have nothing to wait for use up the budget of a step all the same: no loop
// of them keeps others from running.

using namespace anyio;
using support::connected_pair;
using support::connected_unix_pair;

namespace {

constexpr int rounds = 3 * lowlevel::step_budget;

/// How often another task has run while `operation` was done over and over.
template <class Operation>
task<int> runs_of_another_task(Operation operation) {
    int other = 0;
    bool stop = false;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            while (!stop) {
                ++other;
                co_await lowlevel::checkpoint();
            }
        });
        for (int i = 0; i < rounds; ++i)
            co_await operation();
        stop = true;
    });
    co_return other;
}

template <class Operation>
task<> expect_fair(const char* what, Operation operation) {
    const int other = co_await runs_of_another_task(operation);
    EXPECT_GE(other, 2) << what;
}

}  // namespace

ANYIO_TEST(networking_fairness, streams_let_others_run) {
    auto pair = co_await connected_pair();
    const std::string much(rounds, 'x');
    const auto fill = [&]() -> task<> { co_await pair.client.send(much); };
    std::array<std::byte, 1> byte{};
    const auto receive = [&]() -> task<> {
        static_cast<void>(co_await pair.server.receive(1));
    };
    const auto next = [&]() -> task<> {
        static_cast<void>(co_await pair.server.next(1));
    };
    const auto receive_some = [&]() -> task<> {
        static_cast<void>(co_await pair.server.receive_some(byte));
    };
    const auto send = [&]() -> task<> { co_await pair.server.send("x"); };
    const auto send_some = [&]() -> task<> {
        static_cast<void>(co_await pair.server.send_some("x"));
    };
    const auto send_nothing = [&]() -> task<> { co_await pair.server.send(""); };
    const unique_fd file = support::file_with("x");
    const auto send_file = [&]() -> task<> {
        static_cast<void>(co_await pair.server.send_file(file.get()));
    };
    const auto send_eof = [&]() -> task<> { co_await pair.server.send_eof(); };
    co_await fill();
    co_await expect_fair("receive", receive);
    co_await fill();
    co_await expect_fair("next", next);
    co_await fill();
    co_await expect_fair("receive_some", receive_some);
    co_await expect_fair("send", send);
    co_await expect_fair("send_some", send_some);
    co_await expect_fair("send of nothing", send_nothing);
    co_await expect_fair("send_file", send_file);
    co_await expect_fair("send_eof", send_eof);
    co_await pair.client.send_eof();
    co_await expect_fair("next at the end", next);
}

ANYIO_TEST(networking_fairness, descriptors_and_datagrams_let_others_run) {
    auto pair = connected_unix_pair();
    const unique_fd file = support::file_with("x");
    const std::array<int, 1> fds{file.get()};
    const auto pass = [&]() -> task<> {
        co_await pair.client.send_fds("x", fds);
        const received_fds got = co_await pair.server.receive_fds(10, 1);
        EXPECT_EQ(got.fds.size(), 1U);
    };
    const auto readable = [&]() -> task<> { co_await wait_readable(file.get()); };
    const auto writable = [&]() -> task<> { co_await wait_writable(file.get()); };
    auto socket = co_await create_udp_socket({.local_host = "127.0.0.1"});
    const ip_endpoint where = socket.local_address();
    const auto datagram = [&]() -> task<> {
        co_await socket.send_to("x", where);
        const udp_packet got = co_await socket.receive();
        EXPECT_EQ(got.data.size(), 1U);
    };
    const auto close = [&]() -> task<> { co_await socket.aclose(); };
    co_await expect_fair("send_fds, receive_fds", pass);
    co_await expect_fair("wait_readable", readable);
    co_await expect_fair("wait_writable", writable);
    co_await expect_fair("send_to, receive", datagram);
    co_await expect_fair("aclose", close);
}

ANYIO_TEST(networking_fairness, accepting_lets_others_run) {
    const unix_address name = support::own_name("fair");
    auto listener = co_await create_unix_listener(name);
    std::vector<unix_socket_stream> clients;
    const auto connect = [&]() -> task<> {
        auto client = co_await connect_unix(name);
        clients.push_back(std::move(client));
    };
    const auto accept = [&]() -> task<> {
        auto server = co_await listener.accept();
        EXPECT_FALSE(server.is_closed());
    };
    co_await expect_fair("connect_unix", connect);
    co_await expect_fair("accept", accept);
}

ANYIO_TEST(networking_fairness, what_makes_sockets_and_knows_names_lets_others_run) {
    const ip_endpoint where(ipv4_address::loopback(), 80);
    const auto look_up = [&]() -> task<> {
        static_cast<void>(co_await getaddrinfo("127.0.0.1", 80));
    };
    const auto name = [&]() -> task<> {
        static_cast<void>(
            co_await getnameinfo(where, {.numeric_host = true, .numeric_service = true})
        );
    };
    const auto listen = [&]() -> task<> {
        static_cast<void>(co_await create_tcp_listener());
    };
    const auto bind = [&]() -> task<> {
        static_cast<void>(co_await create_udp_socket({.family = address_family::ipv4}));
    };
    co_await expect_fair("getaddrinfo", look_up);
    co_await expect_fair("getnameinfo", name);
    co_await expect_fair("create_tcp_listener", listen);
    co_await expect_fair("create_udp_socket", bind);
}
