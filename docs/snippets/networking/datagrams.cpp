// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;
using namespace std::chrono_literals;

// Answers everybody. What a datagram says is a bytes, whose it is an ip_endpoint.
task<> serve(anyio::udp_socket& socket) {
    while (auto packet = co_await socket.next())
        co_await socket.send_to("you said " + packet->data.str(), packet->address);
}

// Datagrams may be lost, so who wants an answer asks again.
task<std::string> ask(anyio::connected_udp_socket& server, std::string question) {
    for (int attempt = 0; attempt < 3; ++attempt) {
        co_await server.send(question);
        if (auto answer = co_await anyio::move_on_after(1s, server.receive()))
            co_return answer->str();
    }
    throw anyio::timeout_error("ask: no answer");
}

task<> main_task() {
    auto socket = co_await anyio::create_udp_socket({.local_host = "127.0.0.1"});
    const std::uint16_t port = socket.local_address().port();

    co_await anyio::with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> { co_await serve(socket); });

            auto server =
                co_await anyio::create_connected_udp_socket("127.0.0.1", port);
            const std::string answer = co_await ask(server, "hello");
            std::cout << answer << "\n";
            tg.cancel();
        }
    );
}

int main() {
    anyio::run(main_task);
}

// Output:
// you said hello
