// SPDX-License-Identifier: MIT
// Sends back whatever each client sends.
// Usage: echo_server PORT, then: nc localhost PORT. Without a port it talks to itself.
#include "program.hpp"

using anyio::task;

// What concerns one client must not end the server.
task<> echo(anyio::socket_stream client) {
    try {
        while (auto chunk = co_await client.next())
            co_await client.send(*chunk);
    } catch (const anyio::broken_resource_error& error) {
        std::cerr << error.what() << "\n";
    }
}

task<> serve(std::uint16_t port, anyio::task_status<std::uint16_t> status) {
    auto listener = co_await anyio::create_tcp_listener({.local_port = port});
    status.started(listener.local_port());
    co_await listener.serve(echo);
}

task<> demonstrate() {
    co_await anyio::with(
        anyio::create_task_group(),
        [](anyio::task_group& tg) -> task<> {
            const std::uint16_t port = co_await tg.start(serve, std::uint16_t{0});
            auto client = co_await anyio::connect_tcp("127.0.0.1", port);
            co_await client.send("hello");
            co_await client.send_eof();
            while (auto chunk = co_await client.next())
                std::cout << chunk->str();
            std::cout << "\n";
            tg.cancel();
        }
    );
}

int main(int count, char** words) {
    if (count == 1)
        return program::run(demonstrate);
    return program::run_server(serve, words[1]);
}

// Output:
// hello
