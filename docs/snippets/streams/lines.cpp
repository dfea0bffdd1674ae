// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;
using namespace std::chrono_literals;

task<> serve_one(anyio::socket_stream connection) {
    anyio::buffered_byte_stream client(std::move(connection));
    const auto request = co_await client.receive_until("\r\n", 1000);
    co_await client.send("you said " + request.str() + "\r\n");
}

task<> main_task() {
    auto listener = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    const auto port = listener.local_port();
    co_await anyio::with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> { co_await listener.serve(serve_one); });
            auto connection = co_await anyio::connect_tcp("127.0.0.1", port);
            anyio::buffered_byte_stream server(std::move(connection));
            co_await server.send("hel");
            co_await server.send("lo\r\n");
            const auto answer =
                co_await anyio::fail_after(5s, server.receive_until("\r\n", 1000));
            std::cout << answer.str() << "\n";
            tg.cancel();
        }
    );
}

int main() {
    anyio::run(main_task);
}

// Output:
// you said hello
