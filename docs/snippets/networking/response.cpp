// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <array>
#include <cstdio>
#include <iostream>

using anyio::byte_view;
using anyio::socket_option;
using anyio::task;
using namespace std::chrono_literals;

// A head in several pieces, and a body that the system reads from the file itself.
task<> respond(anyio::socket_stream client) {
    client.set_option<socket_option::keep_alive>(true);
    client.set_option<socket_option::keep_alive_idle>(1min);

    std::FILE* const file = std::tmpfile();
    std::fputs("<h1>Hello</h1>\n", file);
    std::fflush(file);
    const std::string length = std::to_string(std::ftell(file));
    const std::array<byte_view, 3> head{
        "HTTP/1.0 200 OK\r\nContent-Length: ", length, "\r\n\r\n"
    };
    co_await client.send(head);
    co_await client.send_file(::fileno(file));
    std::fclose(file);
}

task<> main_task() {
    auto listener = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    co_await anyio::with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> { co_await listener.serve(respond); });
            auto stream =
                co_await anyio::connect_tcp("127.0.0.1", listener.local_port());
            while (auto chunk = co_await stream.next())
                std::cout << chunk->str();
            tg.cancel();
        }
    );
}

int main() {
    anyio::run(main_task);
}

// Output:
// HTTP/1.0 200 OK
// Content-Length: 15
//
// <h1>Hello</h1>
