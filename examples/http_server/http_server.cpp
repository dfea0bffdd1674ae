// SPDX-License-Identifier: MIT
// Serves the files of a folder over HTTP/1.1: GET, HEAD, ranges, persistent connections.
// Usage: http_server PORT FOLDER [SECONDS], the time for a request (default 30). Without
// arguments it serves a file to itself.
#include "http_server.hpp"

using anyio::task;

task<> serve(
    std::uint16_t port,
    std::string path,
    int seconds,
    anyio::task_status<std::uint16_t> status
) {
    const program::end_signal end;
    const site served{folder(path), std::chrono::seconds(seconds)};
    auto listener = co_await anyio::create_tcp_listener({.local_port = port});
    status.started(listener.local_port());
    co_await with(anyio::create_task_group(), [&](anyio::task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            auto handler = [&](anyio::socket_stream client) {
                return serve_client(served, std::move(client));
            };
            co_await listener.serve(handler, {.max_connections = 10'000});
        });
        co_await end.wait();
        tg.cancel("the end was asked for");
    });
}

int main(int count, char** words) {
    if (count < 3)
        return program::run(demonstrate);
    return program::run([&] {
        const int seconds = count == 3 ? 30 : program::count_of(words[3], "seconds");
        const auto port = program::port_of(words[1]);
        return program::announce(serve, port, std::string(words[2]), seconds);
    });
}

// Output:
// GET /hello.txt: HTTP/1.1 200 OK, hello, world
// GET /hello.txt bytes=7-: HTTP/1.1 206 Partial Content, world
// GET /%2e%2e/etc/passwd: HTTP/1.1 404 Not Found, Not Found
// PUT /hello.txt: HTTP/1.1 405 Method Not Allowed, Method Not Allowed
