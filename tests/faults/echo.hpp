// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Both sides of a conversation over any byte stream that can end its own side.

#include "faults/fault_sweep.hpp"

#include <string>
#include <string_view>

namespace support {

inline constexpr std::string_view message =
    "a message of some length, for short writes";

template <class Stream>
anyio::task<> echo(Stream& stream) {
    while (auto chunk = co_await stream.next())
        co_await stream.send(*chunk);
    co_await stream.send_eof();
    co_await stream.aclose();
}

template <class Stream>
anyio::task<> ask(Stream& stream) {
    co_await stream.send(message);
    co_await stream.send_eof();
    std::string answer;
    while (auto chunk = co_await stream.next())
        answer += chunk->str();
    demand(answer == message, "the answer is what was sent");
    co_await stream.aclose();
}

}  // namespace support
