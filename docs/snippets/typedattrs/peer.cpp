// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;
using address = anyio::socket_attribute::remote_address;

// Works for sockets, for what is wrapped around one, and for streams of unknown type.
template <anyio::byte_stream S>
std::string peer_of(const S& stream) {
    const anyio::ip_endpoint peer = anyio::extra_or<address>(stream, {});
    return peer ? to_string(peer.address()) : "nobody knows";
}

task<> main_task() {
    auto listener = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    auto socket = co_await anyio::connect_tcp("127.0.0.1", listener.local_port());
    std::cout << peer_of(socket) << "\n";

    anyio::buffered_byte_stream buffered(std::move(socket));
    std::cout << peer_of(buffered) << "\n";

    const anyio::abc::byte_stream erased(std::move(buffered));
    std::cout << peer_of(erased) << "\n";
}

int main() {
    anyio::run(main_task);
}

// Output:
// 127.0.0.1
// 127.0.0.1
// 127.0.0.1
