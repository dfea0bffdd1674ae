// SPDX-License-Identifier: MIT
// Sends back whatever each client sends. Try it: nc localhost 1234
#include <anyio/anyio.hpp>

anyio::task<> echo(anyio::socket_stream client) {
    while (auto chunk = co_await client.next())
        co_await client.send(*chunk);
}

anyio::task<> serve() {
    auto listener = co_await anyio::create_tcp_listener({.local_port = 1234});
    co_await listener.serve(echo);
}

int main() {
    anyio::run(serve);
}
