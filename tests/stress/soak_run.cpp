// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>
#include "stress/soak.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include <sys/socket.h>

namespace soak {

namespace {

using anyio::socket_stream;
using anyio::task;
using anyio::task_group;
using namespace std::chrono_literals;

// Enough that a client's port is not needed again while the last connection from it to
// the same server is in TIME_WAIT, for a minute: 28 000 ports for each.
constexpr std::size_t listeners = 8;

std::string pattern(std::uint64_t seed, std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>((seed + i) * 2654435761u >> 13);
    return text;
}

void reset_on_close(socket_stream& stream) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(stream.native_handle(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

task<> echo(socket_stream& client) {
    anyio::bytes buffer(16384);
    while (const std::size_t size = co_await client.receive_some(buffer.span()))
        co_await client.send(buffer.view().first(size));
}

task<> flood(socket_stream& client) {
    const std::string much = pattern(0, 65536);
    for (;;)
        co_await client.send(much);
}

task<> serve_one(socket_stream& client) {
    const anyio::bytes first = co_await client.receive(1);
    switch (static_cast<way>(first[0])) {
    case way::leave:
    case way::reset:
        co_await flood(client);
        break;
    case way::server_resets:
        reset_on_close(client);
        break;
    case way::server_closes:
        break;
    default:
        co_await echo(client);
    }
}

// What clients do may break their connections, or end them before the first byte.
task<> serve(result& counted, socket_stream client) {
    try {
        co_await serve_one(client);
    } catch (const anyio::broken_resource_error&) {
    } catch (const anyio::end_of_stream&) {
    }
    ++counted.accepted;
}

class client {
public:
    client(result& counted, std::uint16_t port, std::uint64_t seed) noexcept
        : counted_(counted), port_(port), random_(seed) {}

    task<> use() {
        const way chosen = static_cast<way>(below(ways));
        co_await use(chosen);
        ++counted_.ended[static_cast<std::size_t>(chosen)];
    }

private:
    std::size_t below(std::size_t limit) { return random_() % limit; }

    anyio::duration moment() { return std::chrono::microseconds(below(3000)); }

    task<> use(way chosen) {
        switch (chosen) {
        case way::cancelled: {
            const bool done =
                co_await anyio::move_on_after(moment(), exchange(way::echo));
            counted_.cut += !done;
            break;
        }
        case way::connect_timeout: {
            const auto limit = std::chrono::microseconds(below(200));
            const auto stream = co_await anyio::move_on_after(
                limit, anyio::connect_tcp("127.0.0.1", port_)
            );
            counted_.cut += !stream;
            break;
        }
        default:
            co_await exchange(chosen);
        }
    }

    task<> exchange(way chosen) {
        auto server = co_await anyio::connect_tcp("127.0.0.1", port_);
        const char first = static_cast<char>(chosen);
        co_await server.send(std::string_view(&first, 1));
        switch (chosen) {
        case way::half_close:
            co_await send_and_compare(server, true);
            break;
        case way::leave:
        case way::reset:
            co_await receive_some_of(server);
            if (chosen == way::reset)
                reset_on_close(server);
            break;
        case way::server_closes:
        case way::server_resets:
            co_await until_it_ends(server);
            break;
        case way::time_out: {
            const auto nothing =
                co_await anyio::move_on_after(moment(), server.receive());
            counted_.cut += !nothing;
            counted_.wrong += nothing.has_value();
            break;
        }
        default:
            co_await send_and_compare(server, false);
        }
    }

    // Both directions at once, or neither may be larger than the buffers of the system.
    task<> send_and_compare(socket_stream& server, bool until_end) {
        const std::string data = pattern(random_(), 1 + below(60'000));
        std::string answer;
        co_await with(anyio::create_task_group(), [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await server.send(data);
                if (until_end)
                    co_await server.send_eof();
            });
            while (until_end || answer.size() < data.size()) {
                const auto chunk = co_await server.next();
                if (!chunk)
                    break;
                answer += std::string_view(*chunk);
            }
        });
        counted_.wrong += answer != data;
    }

    task<> receive_some_of(socket_stream& server) {
        for (std::size_t i = below(4); i != 0; --i) {
            const anyio::bytes some = co_await server.receive();
            counted_.wrong += some.empty();
        }
    }

    task<> until_it_ends(socket_stream& server) {
        try {
            co_await server.send(pattern(0, below(10'000)));
            while (const auto chunk = co_await server.next())
                ++counted_.wrong;
        } catch (const anyio::broken_resource_error&) {
        }
    }

    result& counted_;
    std::uint16_t port_;
    std::minstd_rand random_;
};

}  // namespace

std::string_view name_of(way w) noexcept {
    static constexpr std::array<std::string_view, ways> names{
        "echo",
        "half_close",
        "leave",
        "reset",
        "server_closes",
        "server_resets",
        "time_out",
        "cancelled",
        "connect_timeout"
    };
    return names[static_cast<std::size_t>(w)];
}

task<result> run(options chosen) {
    result counted;
    std::mt19937_64 seeds(chosen.seed);
    anyio::semaphore places(chosen.at_a_time);  // not more tasks than that
    std::vector<anyio::tcp_listener> servers;
    for (std::size_t i = 0; i < listeners; ++i) {
        auto made = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
        servers.push_back(std::move(made));
    }
    co_await with(anyio::create_task_group(), [&](task_group& tg) -> task<> {
        for (anyio::tcp_listener& server : servers)
            tg.start_soon([&]() -> task<> {
                co_await server.serve([&](socket_stream stream) {
                    return serve(counted, std::move(stream));
                });
            });
        co_await with(anyio::create_task_group(), [&](task_group& clients) -> task<> {
            for (std::size_t i = 0; i < chosen.connections; ++i) {
                co_await places.acquire();
                const std::uint16_t port = servers[i % listeners].local_port();
                clients.start_soon([&, port, seed = seeds()]() -> task<> {
                    client one(counted, port, seed);
                    co_await one.use();
                    places.release();
                });
            }
        });
        tg.cancel("all clients have ended");
    });
    co_return counted;
}

}  // namespace soak
