// SPDX-License-Identifier: MIT
// Passes TCP connections on to another server, each direction until its own end.
// Usage: tcp_proxy PORT HOST PORT. Without arguments it shows what a half-close is.
#include "program.hpp"

using anyio::socket_stream;
using anyio::task;
using namespace std::chrono_literals;

// The end of `from` becomes the end of `to`, while the other direction goes on.
task<> pass_on(socket_stream& from, socket_stream& to) {
    anyio::bytes buffer(65536);
    while (const std::size_t size = co_await from.receive_some(buffer.span()))
        co_await to.send(buffer.view().first(size));
    co_await to.send_eof();
}

// If one direction fails, the group cancels the other, and both connections are closed.
task<> proxy(socket_stream client, std::string host, std::uint16_t port) {
    co_await anyio::try_([&]() -> task<> {
        auto server = co_await anyio::fail_after(10s, anyio::connect_tcp(host, port));
        co_await anyio::with(anyio::create_task_group(), [&](anyio::task_group& tg) {
            tg.start_soon(pass_on, std::ref(client), std::ref(server));
            tg.start_soon(pass_on, std::ref(server), std::ref(client));
        });
    }).except_star<std::runtime_error>([](const auto& errors) {
        std::cerr << errors.begin()->what() << "\n";
    });
}

task<> serve(
    std::uint16_t port,
    std::string host,
    std::uint16_t target_port,
    anyio::task_status<std::uint16_t> status
) {
    auto listener = co_await anyio::create_tcp_listener({.local_port = port});
    status.started(listener.local_port());
    co_await listener.serve([&](socket_stream client) -> task<> {
        return proxy(std::move(client), host, target_port);
    });
}

// Answers when it has read everything, so it needs the end of what the client sends.
task<> count_bytes(anyio::task_status<std::uint16_t> status) {
    auto listener = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    status.started(listener.local_port());
    auto client = co_await listener.accept();
    std::size_t size = 0;
    while (auto chunk = co_await client.next())
        size += chunk->size();
    co_await client.send(std::to_string(size) + " bytes have come");
}

task<> demonstrate() {
    co_await with(anyio::create_task_group(), [](anyio::task_group& tg) -> task<> {
        const std::uint16_t target = co_await tg.start(count_bytes);
        const std::uint16_t port =
            co_await tg.start(serve, std::uint16_t{0}, "127.0.0.1", target);
        auto client = co_await anyio::connect_tcp("127.0.0.1", port);
        co_await client.send(std::string(1'000'000, 'x'));
        co_await client.send_eof();
        while (auto chunk = co_await client.next())
            std::cout << chunk->str();
        std::cout << "\n";
        tg.cancel();
    });
}

int main(int count, char** words) {
    if (count != 4)
        return program::run(demonstrate);
    return program::run([&] {
        const auto port = program::port_of(words[1]);
        return program::announce(serve, port, words[2], program::port_of(words[3]));
    });
}

// Output:
// 1000000 bytes have come
