// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>
#include <anyio/networking/connect_tls.hpp>
#include <anyio/streams/tls_listener.hpp>
#include "localhost.hpp"

#include <iostream>

using anyio::task;
using secure_stream = anyio::tls_stream<anyio::socket_stream>;

task<> ask(std::string name, std::uint16_t port, anyio::tls_context trusted) {
    try {
        auto stream = co_await anyio::connect_tls(
            "127.0.0.1", port, {.hostname = name, .context = &trusted}
        );
        std::cout << "welcome\n";
    } catch (const anyio::tls_certificate_error& e) {
        std::cout << e.what() << "\n";
    }
}

task<> main_task() {
    auto ours = anyio::tls_context::server();
    ours.use_certificate(certificate_of_localhost, key_of_localhost);
    auto below = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    const std::uint16_t port = below.local_port();
    anyio::tls_listener listener(std::move(below), ours);
    // Otherwise one line on stderr for each.
    listener.on_handshake_error([](const std::exception_ptr&, anyio::socket_stream&) {}
    );

    auto both = [&](anyio::task_group& tg) -> task<> {
        auto ignore = [](secure_stream) -> task<> { co_return; };
        tg.start_soon([&]() -> task<> { co_await listener.serve(ignore); });
        auto trusting = anyio::tls_context::client();
        trusting.trust(certificate_of_localhost);
        co_await ask("localhost", port, trusting);
        co_await ask("example.org", port, trusting);
        co_await ask("localhost", port, anyio::tls_context::client());
        tg.cancel();
    };
    co_await anyio::with(anyio::create_task_group(), both);
}

int main() {
    anyio::run(main_task);
}

// Output:
// welcome
// tls handshake with example.org: hostname mismatch (CN=localhost; it is for localhost, not for example.org)
// tls handshake with localhost: self-signed certificate (CN=localhost, issued by CN=localhost)
