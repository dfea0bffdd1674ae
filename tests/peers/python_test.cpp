// SPDX-License-Identifier: MIT
// Against Python's socket and asyncio: resets, slow readers, crowds of short connections.
#include "peers/peers.hpp"

using namespace anyio;
using support::beside_a_server;
using support::checksum;
using support::child;
using support::last_number;
using support::pattern;
using support::python;
using ::testing::HasSubstr;

namespace {

constexpr std::size_t bulk = 32 * 1024 * 1024;
constexpr int crowd = 2000;

// A server for one client: prints its port, and has the connection as `c`.
std::string listening(std::string rest) {
    return "import socket, struct, sys, hashlib\n"
           "s = socket.create_server(('127.0.0.1', 0))\n"
           "print(s.getsockname()[1])\n"
           "c, _ = s.accept()\n" +
           rest;
}

// A client of the server whose port is its first argument.
std::string connected(std::string rest) {
    return "import socket, struct, sys, hashlib\n"
           "c = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n" +
           rest;
}

constexpr const char* reset =
    "c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))\n"
    "c.close()\n";

constexpr const char* read_all = "n = 0\n"
                                 "h = hashlib.sha256()\n"
                                 "while data := c.recv(65536):\n"
                                 "    h.update(data)\n"
                                 "    n += len(data)\n";

task<socket_stream> connect_to(child& server) {
    const std::string line = co_await server.read_line();
    auto stream = co_await connect_tcp("127.0.0.1", last_number(line));
    co_return stream;
}

}  // namespace

ANYIO_TEST(python, answers_after_the_end_of_what_a_client_sends) {
    child server(python(listening(
        std::string(read_all) + "c.sendall(f'{n} {h.hexdigest()}  -\\n'.encode())\n"
    )));
    auto client = co_await connect_to(server);
    const std::string data = pattern(bulk);
    const std::string sum = co_await checksum(data);
    co_await client.send(data);
    co_await client.send_eof();
    const std::string answer = co_await support::receive_all(client);
    EXPECT_EQ(answer, std::to_string(bulk) + " " + sum);
}

ANYIO_TEST(python, ends_its_side_and_still_gets_the_answer_of_a_server) {
    auto count = [](socket_stream client) -> task<> {
        const std::string all = co_await support::receive_all(client);
        co_await client.send(std::to_string(all.size()));
    };
    co_await beside_a_server(count, [](std::string port) -> task<> {
        const std::string said = co_await support::output_of(python(
            connected("c.sendall(b'x' * 1000000)\n"
                      "c.shutdown(socket.SHUT_WR)\n"
                      "print(c.recv(100).decode(), c.recv(100))\n"),
            port
        ));
        EXPECT_EQ(said, "1000000 b''\n");
    });
}

ANYIO_TEST(python, that_resets_is_a_broken_resource_for_a_reader) {
    child server(python(listening("sys.stdin.readline()\n" + std::string(reset))));
    auto client = co_await connect_to(server);
    outcome<bytes> received;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            received = co_await as_outcome(client.receive());
        });
        co_await wait_all_tasks_blocked();
        co_await server.write("now\n");
    });
    EXPECT_TRUE(is_error<broken_resource_error>(received.error()));
    EXPECT_THAT(message_of(received.error()), HasSubstr("(ECONNRESET)"));
}

ANYIO_TEST(python, that_resets_is_a_broken_resource_for_a_writer_that_waits) {
    child server(python(listening("sys.stdin.readline()\n" + std::string(reset))));
    auto client = co_await connect_to(server);
    outcome<void> sent;
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            sent = co_await as_outcome(client.send(pattern(bulk)));
        });
        co_await wait_all_tasks_blocked();
        co_await server.write("now\n");
    });
    EXPECT_TRUE(is_error<broken_resource_error>(sent.error()));
}

ANYIO_TEST(python, sees_the_reset_of_a_client_as_such) {
    child server(python(listening("try:\n"
                                  "    c.recv(1)\n"
                                  "    print('an end')\n"
                                  "except ConnectionResetError:\n"
                                  "    print('a reset')\n")));
    {
        auto client = co_await connect_to(server);
        support::reset_on_close(client);
    }
    const std::string said = co_await server.read_line();
    EXPECT_EQ(said, "a reset");
}

ANYIO_TEST(python, reads_slowly_and_a_sender_waits_for_it) {
    bool all_sent = false;
    std::string sum;
    auto serve = [&](socket_stream client) -> task<> {
        const std::string data = pattern(bulk);
        sum = co_await checksum(data);
        co_await client.send(data);
        all_sent = true;
    };
    co_await beside_a_server(serve, [&](std::string port) -> task<> {
        child reader(python(
            connected(
                "first = c.recv(1)\n"
                "print('one byte')\n"
                "sys.stdin.readline()\n" +
                std::string(read_all) + "print(n)\n"
            ),
            port
        ));
        const std::string line = co_await reader.read_line();
        EXPECT_EQ(line, "one byte");
        co_await wait_all_tasks_blocked();
        EXPECT_FALSE(all_sent);
        co_await reader.write("go on\n");
        const std::string count = co_await reader.read_line();
        EXPECT_EQ(count, std::to_string(bulk - 1));
        EXPECT_TRUE(all_sent);
    });
}

ANYIO_TEST(python, asyncio_opens_thousands_of_short_connections) {
    int served = 0;
    auto echo = [&](socket_stream client) -> task<> {
        co_await support::echo(std::move(client));
        ++served;
    };
    co_await beside_a_server(echo, [&](std::string port) -> task<> {
        const std::string said = co_await support::output_of(python(
            "import asyncio, sys\n"
            "async def one(number, limit):\n"
            "    async with limit:\n"
            "        r, w = await asyncio.open_connection('127.0.0.1', sys.argv[1])\n"
            "        w.write(str(number).encode())\n"
            "        w.write_eof()\n"
            "        answer = await r.read()\n"
            "        w.close()\n"
            "        await w.wait_closed()\n"
            "        return answer == str(number).encode()\n"
            "async def main():\n"
            "    limit = asyncio.Semaphore(100)\n"
            "    print(sum(await asyncio.gather(\n"
            "        *(one(n, limit) for n in range(int(sys.argv[2]))))))\n"
            "asyncio.run(main())\n",
            port,
            std::to_string(crowd)
        ));
        EXPECT_EQ(said, std::to_string(crowd) + "\n");
        co_await wait_all_tasks_blocked();
    });
    EXPECT_EQ(served, crowd);
}

ANYIO_TEST(python, asyncio_serves_thousands_of_short_connections) {
    child server(python("import asyncio\n"
                        "async def echo(r, w):\n"
                        "    while data := await r.read(65536):\n"
                        "        w.write(data)\n"
                        "        await w.drain()\n"
                        "    w.close()\n"
                        "async def main():\n"
                        "    s = await asyncio.start_server(echo, '127.0.0.1', 0)\n"
                        "    print(s.sockets[0].getsockname()[1])\n"
                        "    await s.serve_forever()\n"
                        "asyncio.run(main())\n"));
    const std::string line = co_await server.read_line();
    const std::uint16_t port = last_number(line);
    int right = 0;
    capacity_limiter limit(100);
    co_await with(create_task_group(), [&](task_group& tg) {
        for (int i = 0; i < crowd; ++i)
            tg.start_soon([&, text = std::to_string(i)]() -> task<> {
                const auto place = co_await limit.hold();
                auto client = co_await connect_tcp("127.0.0.1", port);
                co_await client.send(text);
                co_await client.send_eof();
                const std::string answer = co_await support::receive_all(client);
                right += answer == text;
            });
    });
    EXPECT_EQ(right, crowd);
}
