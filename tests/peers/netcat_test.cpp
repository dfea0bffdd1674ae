// SPDX-License-Identifier: MIT
// Against netcat and socat: bulk transfer, half-close, both directions at once.
#include "peers/peers.hpp"

#include <csignal>

using namespace anyio;
using support::beside_a_server;
using support::checksum;
using support::child;
using support::last_number;
using support::pattern;
using support::shell;

namespace {

constexpr std::size_t bulk = 32 * 1024 * 1024;

}  // namespace

ANYIO_TEST(netcat, gets_back_all_that_it_sends_to_an_echo_server) {
    ANYIO_NEEDS("nc.openbsd", "netcat-openbsd")
    co_await beside_a_server(support::echo, [](std::string port) -> task<> {
        const std::string data = pattern(bulk);
        const std::string expected = co_await checksum(data);
        const std::string got = co_await support::output_of(
            shell("nc.openbsd -N 127.0.0.1 " + port + " | sha256sum"), data
        );
        EXPECT_EQ(got, expected);
    });
}

ANYIO_TEST(netcat, as_a_server_gets_all_that_a_client_sends_and_answers_after_the_end) {
    ANYIO_NEEDS("nc.openbsd", "netcat-openbsd")
    const std::string data = pattern(bulk);
    const std::string expected = co_await checksum(data);
    // What it says of itself, and then the sum of what came.
    child server(shell("{ nc.openbsd -N -v -l 127.0.0.1 0 | sha256sum >&3; } 3>&1 2>&1")
    );
    const std::string line = co_await server.read_line();
    auto client = co_await connect_tcp("127.0.0.1", last_number(line));
    co_await client.send(data);
    co_await client.send_eof();
    co_await server.write("that was all");  // our half is closed, netcat's is not
    server.close_input();
    const std::string answer = co_await support::receive_all(client);
    EXPECT_EQ(answer, "that was all");
    const std::string said = co_await server.read_all();
    EXPECT_THAT(said, ::testing::EndsWith(expected));
}

ANYIO_TEST(socat, gets_back_all_that_it_sends_to_an_echo_server) {
    ANYIO_NEEDS("socat", "socat")
    co_await beside_a_server(support::echo, [](std::string port) -> task<> {
        const std::string data = pattern(bulk);
        const std::string got = co_await support::output_of(
            shell("exec socat -t 60 - TCP:127.0.0.1:" + port), data
        );
        EXPECT_TRUE(got == data);
    });
}

ANYIO_TEST(socat, echoes_what_a_client_sends_while_it_receives) {
    ANYIO_NEEDS("socat", "socat")
    child server(shell("exec socat -d -d TCP-LISTEN:0,bind=127.0.0.1 EXEC:cat 2>&1"));
    const std::string line = co_await server.read_line();
    auto client = co_await connect_tcp("127.0.0.1", last_number(line));
    const std::string data = pattern(bulk);
    std::string answer;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            co_await client.send(data);
            co_await client.send_eof();
        });
        answer = co_await support::receive_all(client);
    });
    EXPECT_TRUE(answer == data);
}

ANYIO_TEST(socat, answers_on_ipv6_too) {
    ANYIO_NEEDS("socat", "socat")
    child server(shell("exec socat -d -d TCP6-LISTEN:0,bind=[::1] EXEC:cat 2>&1"));
    const std::string line = co_await server.read_line();
    ANYIO_SKIP_UNLESS(line.find("listening") != line.npos, "no IPv6: " + line)
    auto client = co_await connect_tcp("::1", last_number(line));
    co_await client.send("hello");
    co_await client.send_eof();
    const std::string answer = co_await support::receive_all(client);
    EXPECT_EQ(answer, "hello");
}

ANYIO_TEST(socat, that_is_killed_is_an_end_or_a_reset_and_not_a_hang) {
    ANYIO_NEEDS("socat", "socat")
    child server(shell("exec socat -d -d TCP-LISTEN:0,bind=127.0.0.1 EXEC:cat 2>&1"));
    const std::string line = co_await server.read_line();
    auto client = co_await connect_tcp("127.0.0.1", last_number(line));
    co_await client.send("hello");
    const bytes hello = co_await client.receive();
    EXPECT_EQ(hello, "hello");
    outcome<bytes> received;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            received = co_await as_outcome(client.receive());
        });
        co_await wait_all_tasks_blocked();
        server.kill(SIGKILL);
    });
    EXPECT_TRUE(
        is_error<end_of_stream>(received.error()) ||
        is_error<broken_resource_error>(received.error())
    );
    const int status = co_await server.wait();
    EXPECT_EQ(status, -SIGKILL);
}
