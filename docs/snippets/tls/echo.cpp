// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>
#include <anyio/networking/connect_tls.hpp>
#include <anyio/streams/tls_listener.hpp>
#include "localhost.hpp"  // certificate_of_localhost, key_of_localhost: PEM

#include <iostream>

using anyio::task;
using secure_stream = anyio::tls_stream<anyio::socket_stream>;

task<> echo(secure_stream client) {
    while (auto chunk = co_await client.next())
        co_await client.send(*chunk);
    co_await client.aclose();  // says goodbye: the other side knows that this is all
}

task<> main_task() {
    auto ours = anyio::tls_context::server();
    ours.use_certificate(certificate_of_localhost, key_of_localhost);
    auto below = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    const std::uint16_t port = below.local_port();
    anyio::tls_listener listener(std::move(below), ours);

    auto theirs = anyio::tls_context::client();
    theirs.trust(certificate_of_localhost);  // instead of the system's authorities

    auto both = [&](anyio::task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await listener.serve(echo); });
        auto talk = [](secure_stream& stream) -> task<> {
            co_await stream.send("hello");
            co_await stream.send_eof();  // TLS 1.3: we have said all, and still listen
            std::string answer;
            while (auto chunk = co_await stream.next())
                answer += chunk->str();
            std::cout << answer << ", by "
                      << to_string(
                             anyio::extra<anyio::tls_attribute::tls_version>(stream)
                         )
                      << "\n";
        };
        co_await anyio::with(
            anyio::connect_tls("localhost", port, {.context = &theirs}), talk
        );
        tg.cancel();
    };
    co_await anyio::with(anyio::create_task_group(), both);
}

int main() {
    anyio::run(main_task);
}

// Output:
// hello, by TLS 1.3
