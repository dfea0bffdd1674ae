// SPDX-License-Identifier: MIT
// The other examples as processes: the proxy, the chat, the port checker.
#include "peers/peers.hpp"

#include <csignal>
#include <filesystem>

using namespace anyio;
using support::beside_a_server;
using support::child;
using support::example_program;
using support::last_number;
using support::pattern;
using ::testing::HasSubstr;

namespace {

#define NEEDS(program)                                                                 \
    ANYIO_SKIP_UNLESS(                                                                 \
        std::filesystem::exists(example_program(program)),                             \
        "no " program "; build anyio_examples"                                         \
    )

task<std::uint16_t> port_of(child& server) {
    const std::string line = co_await server.read_line();
    co_return last_number(line);
}

using lines_of = buffered_byte_stream<socket_stream>;

task<lines_of> enter(std::uint16_t port, std::string name) {
    auto stream = co_await connect_tcp("127.0.0.1", port);
    co_await stream.send(name + "\n");
    co_return lines_of(std::move(stream));
}

task<std::string> line_of(lines_of& from) {
    const bytes line = co_await from.receive_until("\n", 10'000);
    co_return line.str();
}

}  // namespace

ANYIO_TEST(tcp_proxy, passes_bulk_on_in_both_directions_at_once) {
    NEEDS("networking_tcp_proxy")
    co_await beside_a_server(support::echo, [](std::string target) -> task<> {
        child proxy({example_program("networking_tcp_proxy"), "0", "127.0.0.1", target}
        );
        const std::uint16_t port = co_await port_of(proxy);
        auto client = co_await connect_tcp("127.0.0.1", port);
        const std::string data = pattern(16'000'000);
        std::string answer;
        co_await with(create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await client.send(data);
                co_await client.send_eof();
            });
            answer = co_await support::receive_all(client);
        });
        EXPECT_TRUE(answer == data);
    });
}

ANYIO_TEST(tcp_proxy, passes_the_end_of_one_direction_on_and_then_the_answer) {
    NEEDS("networking_tcp_proxy")
    auto count = [](socket_stream client) -> task<> {
        const std::string all = co_await support::receive_all(client);
        co_await client.send(std::to_string(all.size()));
    };
    co_await beside_a_server(count, [](std::string target) -> task<> {
        child proxy({example_program("networking_tcp_proxy"), "0", "127.0.0.1", target}
        );
        const std::uint16_t port = co_await port_of(proxy);
        auto client = co_await connect_tcp("127.0.0.1", port);
        co_await client.send("12345");
        co_await client.send_eof();
        const std::string answer = co_await support::receive_all(client);
        EXPECT_EQ(answer, "5");
    });
}

ANYIO_TEST(tcp_proxy, closes_the_client_if_there_is_no_server_and_goes_on) {
    NEEDS("networking_tcp_proxy")
    auto gone = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    const std::string target = std::to_string(gone.local_port());
    co_await gone.aclose();
    child proxy(support::shell(
        "exec " + example_program("networking_tcp_proxy") + " 0 127.0.0.1 " + target +
        " 2>&1"
    ));
    const std::uint16_t port = co_await port_of(proxy);
    for (int i = 0; i < 3; ++i) {
        auto client = co_await connect_tcp("127.0.0.1", port);
        const std::string answer = co_await support::receive_all(client);
        EXPECT_EQ(answer, "");
        const std::string said = co_await proxy.read_line();
        EXPECT_THAT(said, HasSubstr("(ECONNREFUSED)"));
    }
}

ANYIO_TEST(chat_server, tells_everybody_and_ends_in_order_when_it_is_told_to) {
    NEEDS("chat_server")
    child server({example_program("chat_server"), "0"});
    const std::uint16_t port = co_await port_of(server);
    auto ann = co_await enter(port, "Ann");
    const std::string about_ann = co_await line_of(ann);
    EXPECT_EQ(about_ann, "* Ann is here");
    {
        auto bob = co_await enter(port, "Bob\r");  // as telnet does
        const std::string about_bob = co_await line_of(ann);
        EXPECT_EQ(about_bob, "* Bob is here");
        co_await bob.send("hi\nand bye\n");
        const std::string first = co_await line_of(ann);
        EXPECT_EQ(first, "Bob: hi");
        const std::string second = co_await line_of(ann);
        EXPECT_EQ(second, "Bob: and bye");
        const std::string own = co_await line_of(bob);
        EXPECT_EQ(own, "* Bob is here");
    }
    const std::string left = co_await line_of(ann);
    EXPECT_EQ(left, "* Bob has left");
    server.kill(SIGINT);
    const std::string over = co_await line_of(ann);
    EXPECT_EQ(over, "* the chat is over");
    const auto end = co_await as_outcome(ann.receive());
    EXPECT_TRUE(is_error<end_of_stream>(end.error()));
    const int status = co_await server.wait();
    EXPECT_EQ(status, 0);
}

ANYIO_TEST(chat_server, shows_out_who_does_not_read) {
    NEEDS("chat_server")
    child server({example_program("chat_server"), "0"});
    const std::uint16_t port = co_await port_of(server);
    auto ann = co_await enter(port, "Ann");
    co_await line_of(ann);
    auto deaf = co_await enter(port, "deaf");
    co_await line_of(ann);
    auto bob = co_await enter(port, "Bob");
    co_await line_of(ann);
    // Bob talks until Ann, who reads everything, reads that it was too much for somebody.
    const std::string line(4000, 'x');
    bool left = false;
    for (int i = 0; i < 20'000 && !left; ++i) {
        co_await bob.send(line + "\n");
        const std::string heard = co_await line_of(ann);
        left = heard == "* deaf has left";
        ANYIO_REQUIRE(left || heard == "Bob: " + line);
    }
    EXPECT_TRUE(left);
}

ANYIO_TEST(chat_server, shows_nobody_out_because_many_come_at_once) {
    NEEDS("chat_server")
    constexpr int many = 200;
    child server({example_program("chat_server"), "0"});
    const std::uint16_t port = co_await port_of(server);
    auto ann = co_await enter(port, "Ann");
    co_await line_of(ann);
    std::vector<socket_stream> others;
    for (int i = 0; i < many; ++i) {
        auto one = co_await connect_tcp("127.0.0.1", port);
        others.push_back(std::move(one));
    }
    for (int i = 0; i < many; ++i)
        co_await others[static_cast<std::size_t>(i)].send(std::to_string(i) + "\n");
    for (int i = 0; i < many; ++i) {
        const std::string line = co_await line_of(ann);
        EXPECT_THAT(line, HasSubstr(" is here"));
    }
    others.clear();  // and go at once
    for (int i = 0; i < many; ++i) {
        const std::string line = co_await line_of(ann);
        EXPECT_THAT(line, HasSubstr(" has left"));
    }
}

ANYIO_TEST(chat_server, passes_nothing_on_that_a_terminal_would_obey) {
    NEEDS("chat_server")
    child server({example_program("chat_server"), "0"});
    const std::uint16_t port = co_await port_of(server);
    auto ann = co_await enter(port, "Ann");
    co_await line_of(ann);
    auto bob = co_await enter(port, "B\x1b[31mob");
    const std::string name = co_await line_of(ann);
    EXPECT_EQ(name, "* B[31mob is here");
    co_await bob.send("\x1b]0;title\x07 \x7f\xc2\x9b caf\xc3\xa9\n");
    const std::string line = co_await line_of(ann);
    EXPECT_EQ(line, "B[31mob: ]0;title  caf\xc3\xa9");
}

ANYIO_TEST(chat_server, refuses_who_comes_when_it_is_about_to_end) {
    NEEDS("chat_server")
    child server({example_program("chat_server"), "0"});
    const std::uint16_t port = co_await port_of(server);
    auto ann = co_await enter(port, "Ann");
    co_await line_of(ann);
    server.kill(SIGTERM);
    const std::string over = co_await line_of(ann);
    EXPECT_EQ(over, "* the chat is over");
    const auto late = co_await as_outcome(connect_tcp("127.0.0.1", port));
    EXPECT_TRUE(is_error<connection_failed>(late.error()));
    const int status = co_await server.wait();
    EXPECT_EQ(status, 0);
}

ANYIO_TEST(examples, say_what_is_wrong_with_a_word) {
    NEEDS("chat_server")
    for (const std::string command :
         {"networking_port_checker localhost one 2",
          "networking_port_checker localhost 1 99999",
          "http_download http://localhost/ /dev/null 0",
          "http_download http://localhost/ /dev/null many",
          "http_server 0 . never",
          "http_server 0 . 0",
          "chat_server http"}) {
        const std::string program = command.substr(0, command.find(' '));
        if (!std::filesystem::exists(example_program(program)))
            continue;
        child it(support::shell("exec " + example_program(command) + " 2>&1"));
        const std::string said = co_await it.read_all();
        EXPECT_THAT(said, HasSubstr(" is no ")) << command;
        const int status = co_await it.wait();
        EXPECT_EQ(status, 1) << command;
    }
}

ANYIO_TEST(port_checker, does_not_call_closed_what_it_could_not_try) {
    NEEDS("networking_port_checker")
    child checker(support::shell(
        "ulimit -n 12; exec " + example_program("networking_port_checker") +
        " 127.0.0.1 20000 20100 2>&1"
    ));
    const std::string said = co_await checker.read_all();
    const int status = co_await checker.wait();
    EXPECT_TRUE(status == 1 || said.find("0 of 101") != said.npos) << said;
    if (status == 1) {
        EXPECT_THAT(said, HasSubstr("EMFILE"));
    }
}

ANYIO_TEST(port_checker, finds_what_is_open) {
    NEEDS("networking_port_checker")
    auto open = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    const std::string port = std::to_string(open.local_port());
    const std::string said = co_await support::output_of(support::shell(
        example_program("networking_port_checker") + " localhost " + port + " " + port
    ));
    EXPECT_EQ(said, port + " is open\n1 of 1 ports are open\n");
}
