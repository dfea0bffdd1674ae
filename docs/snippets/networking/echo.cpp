// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;
using namespace std::chrono_literals;

// One task for each client. What it throws would end the server, so it catches.
task<> echo(anyio::socket_stream client) {
    try {
        while (auto chunk = co_await client.next())
            co_await client.send(*chunk);
    } catch (const anyio::broken_resource_error& e) {
        std::cerr << to_string(client.remote_address()) << ": " << e.what() << "\n";
    }
}

task<> main_task() {
    auto listener = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    const std::uint16_t port = listener.local_port();

    co_await anyio::with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> { co_await listener.serve(echo); });

            co_await anyio::with(
                anyio::connect_tcp("127.0.0.1", port),
                [](anyio::socket_stream& stream) -> task<> {
                    co_await stream.send("hello");
                    co_await stream.send_eof();
                    std::string answer;
                    while (auto chunk = co_await anyio::fail_after(5s, stream.next()))
                        answer += chunk->str();
                    std::cout << answer << "\n";
                }
            );
            tg.cancel();
        }
    );
}

int main() {
    anyio::run(main_task);
}

// Output:
// hello
