// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What the tests of datagram sockets share: sockets on the loopback interface.

#include <anyio/networking/udp_socket.hpp>
#include "support/anyio_test.hpp"

namespace support {

inline anyio::task<anyio::udp_socket> local_udp(const char* host = "127.0.0.1") {
    auto socket = co_await anyio::create_udp_socket({.local_host = host});
    co_return socket;
}

/// Connected to where `peer` is.
inline anyio::task<anyio::connected_udp_socket>
connected_to(const anyio::udp_socket& peer) {
    const anyio::ip_endpoint to = peer.local_address();
    const std::string host = to_string(to.address());
    auto socket = co_await anyio::create_connected_udp_socket(host, to.port());
    co_return socket;
}

}  // namespace support
