// SPDX-License-Identifier: MIT
// Fetches / of an HTTPS server, or says why it does not trust it.
// Try it: example_networking_tls_client example.org
#include <anyio/anyio.hpp>
#include <anyio/networking/connect_tls.hpp>

#include <iostream>

using namespace std::chrono_literals;

anyio::task<> fetch(std::string host) {
    // Many HTTP servers just close; the length says whether all has come.
    auto stream = co_await anyio::fail_after(
        10s, anyio::connect_tls(host, 443, {.standard_compatible = false})
    );
    std::cerr << to_string(anyio::extra<anyio::tls_attribute::tls_version>(stream))
              << ", " << anyio::extra<anyio::tls_attribute::cipher>(stream) << "\n";
    co_await stream.send(
        "GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n"
    );
    while (auto chunk = co_await anyio::fail_after(10s, stream.next()))
        std::cout << chunk->str();
}

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: " << argv[0] << " HOST\n";
        return 2;
    }
    try {
        anyio::run(fetch, std::string(argv[1]));
    } catch (const anyio::tls_certificate_error& e) {
        std::cerr << "this server is not to be trusted\n  " << e.what() << "\n";
        return 1;
    } catch (const std::exception& e) {
        std::cerr << e.what() << "\n";
        return 1;
    }
}
