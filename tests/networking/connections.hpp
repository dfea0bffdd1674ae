// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What the tests of this chapter share: pairs of connected streams, and their options.

#include "support/anyio_test.hpp"

#include <string>
#include <string_view>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace support {

/// Two ends of one connection on the loopback interface.
struct stream_pair {
    stream_pair(anyio::socket_stream connected, anyio::socket_stream accepted) noexcept
        : client(std::move(connected)), server(std::move(accepted)) {}

    anyio::socket_stream client;
    anyio::socket_stream server;
};

inline anyio::task<stream_pair> connected_pair(const char* host = "127.0.0.1") {
    auto listener = co_await anyio::create_tcp_listener({.local_host = host});
    auto client = co_await anyio::connect_tcp(host, listener.local_port());
    auto server = co_await listener.accept();
    co_return stream_pair(std::move(client), std::move(server));
}

/// Makes backpressure begin after some hundred kilobytes, and writes partial. Not smaller,
/// and not the receive buffers: then TCP waits for timers of its own (RFC 1122, 4.2.3.4).
inline void use_small_buffers(stream_pair& pair) {
    for (const int fd : {pair.client.native_handle(), pair.server.native_handle()}) {
        const int size = 131072;
        ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    }
}

/// Closing it sends a reset instead of the end of the stream.
inline void reset_on_close(anyio::socket_stream& stream) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(stream.native_handle(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/// Sends past the loop, so that the loop learns of several at one time.
inline void send_now(anyio::socket_stream& stream, std::string_view text) {
    const auto sent = ::send(stream.native_handle(), text.data(), text.size(), 0);
    EXPECT_EQ(sent, static_cast<ssize_t>(text.size()));
}

/// Bytes of which each place has a value of its own, mostly.
inline std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>((i * 2654435761u) >> 13);
    return text;
}

/// Everything up to the end of the stream.
inline anyio::task<std::string>
receive_all(anyio::socket_stream& stream, std::size_t at_once = 65536) {
    std::string text;
    while (auto chunk = co_await stream.next(at_once))
        text += std::string_view(*chunk);
    co_return text;
}

}  // namespace support
