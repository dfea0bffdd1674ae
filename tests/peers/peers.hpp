// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What the tests of this chapter share: servers of ours, programs of others, checksums.

#include "networking/connections.hpp"
#include "support/anyio_test.hpp"
#include "support/child.hpp"
#include "support/temporary_folder.hpp"

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

/// Runs `body(port)` beside a server of ours that gives each client to `handler`.
template <class Handler, class Body>
anyio::task<> beside_a_server(Handler handler, Body body) {
    auto listener = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    co_await with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> anyio::task<> {
            tg.start_soon([&]() -> anyio::task<> { co_await listener.serve(handler); });
            co_await body(std::to_string(listener.local_port()));
            tg.cancel();
        }
    );
}

inline anyio::task<> echo(anyio::socket_stream client) {
    while (auto chunk = co_await client.next())
        co_await client.send(*chunk);
}

/// A shell command; `exec` makes its last program the child itself.
inline std::vector<std::string> shell(std::string command) {
    return {"sh", "-c", std::move(command)};
}

template <class... Arguments>
std::vector<std::string> python(std::string script, Arguments... arguments) {
    return {"python3", "-u", "-c", std::move(script), std::move(arguments)...};
}

/// The last number of a line: the port in what servers print when they listen.
inline std::uint16_t last_number(std::string_view line) {
    const std::size_t end = line.find_last_of("0123456789") + 1;
    const std::size_t before = line.find_last_not_of("0123456789", end - 1);
    const std::string_view digits = line.substr(before + 1, end - before - 1);
    std::uint16_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

/// What sha256sum prints of `data`.
inline anyio::task<std::string> checksum(std::string data) {
    return output_of({"sha256sum"}, std::move(data));
}

}  // namespace support
