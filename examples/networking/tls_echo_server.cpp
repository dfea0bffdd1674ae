// SPDX-License-Identifier: MIT
// Sends back whatever each client sends, encrypted. To make a certificate, and try it:
//   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=me
//       -addext subjectAltName=DNS:localhost -keyout k.pem -out c.pem
//   example_networking_tls_echo_server c.pem k.pem
//   openssl s_client -connect localhost:1234 -CAfile c.pem
#include <anyio/anyio.hpp>
#include <anyio/streams/tls_listener.hpp>

#include <iostream>

using secure_stream = anyio::tls_stream<anyio::socket_stream>;

anyio::task<> echo(secure_stream client) {
    try {
        while (auto chunk = co_await client.next())
            co_await client.send(*chunk);
        co_await client.aclose();
    } catch (const anyio::broken_resource_error& e) {
        std::cerr << to_string(
                         anyio::extra<anyio::socket_attribute::remote_address>(client)
                     )
                  << ": " << e.what() << "\n";
    }
}

anyio::task<> serve(std::string certificate, std::string key) {
    auto context = anyio::tls_context::server();
    context.use_certificate_file(certificate, key);
    auto below = co_await anyio::create_tcp_listener({.local_port = 1234});
    anyio::tls_listener listener(std::move(below), context);
    co_await listener.serve(echo);
}

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: " << argv[0] << " CERTIFICATE KEY\n";
        return 2;
    }
    try {
        anyio::run(serve, std::string(argv[1]), std::string(argv[2]));
    } catch (const std::exception& e) {
        std::cerr << e.what() << "\n";
        return 1;
    }
}
