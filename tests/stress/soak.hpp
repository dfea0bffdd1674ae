// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// soak: very many connections in one process, used and ended in every way at random.

#include <anyio/basics/task.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace soak {

/// What a client does with its connection. What it sends first tells the server.
enum class way : std::uint8_t {
    echo,             ///< sends, compares what comes back, closes
    half_close,       ///< ends its side, compares all that comes until the end
    leave,            ///< closes while the server sends
    reset,            ///< resets while the server sends
    server_closes,    ///< the server closes with unread input: a reset, or an end
    server_resets,    ///< the server resets on purpose
    time_out,         ///< waits for what never comes, for a moment
    cancelled,        ///< is cut short in the middle of an exchange
    connect_timeout,  ///< gives up connecting at once, or a little later
};

inline constexpr std::size_t ways = 9;

std::string_view name_of(way w) noexcept;

struct options {
    std::size_t connections = 2000;
    std::size_t at_a_time = 200;
    std::uint64_t seed = 1;
};

struct result {
    std::array<std::size_t, ways> ended{};  ///< by the way that was chosen
    std::size_t accepted = 0;               ///< and ended, by the servers
    std::size_t wrong = 0;                  ///< answers that were not what was sent
    std::size_t cut = 0;                    ///< exchanges that were cut short
};

/// Clients and servers, all over the loopback interface, all in one loop.
///
/// @throws exception_group  of what none of the ways above may cause
anyio::task<result> run(options chosen);

}  // namespace soak
