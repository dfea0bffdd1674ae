// SPDX-License-Identifier: MIT
// Tells which TCP ports of a host are open, asking many at a time.
// Usage: port_checker HOST FIRST LAST. Without arguments it checks ports of its own.
#include "program.hpp"

#include <cerrno>
#include <set>
#include <vector>

using anyio::task;
using namespace std::chrono_literals;

// Of what cannot be tried, for want of descriptors for instance, nothing is known.
bool is_closed(const anyio::connection_failed& error) {
    const auto cause = anyio::cause_of(error);
    const auto* const why = anyio::caught_as<anyio::os_error>(cause);
    const std::set closed{
        ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH
    };
    return why && closed.contains(why->code().value());
}

// What does not answer within a second counts as closed, too.
task<bool> is_open(anyio::ip_address host, std::uint16_t port) {
    try {
        const auto stream = co_await anyio::move_on_after(
            1s, anyio::connect_tcp(to_string(host), port)
        );
        co_return stream.has_value();
    } catch (const anyio::connection_failed& error) {
        if (!is_closed(error))
            throw;
        co_return false;
    }
}

task<> check(std::string host, std::vector<std::uint16_t> ports) {
    const auto addresses = co_await anyio::getaddrinfo(host, 0);
    std::set<std::uint16_t> open;
    anyio::capacity_limiter at_a_time(256);
    co_await with(anyio::create_task_group(), [&](anyio::task_group& tg) {
        for (const std::uint16_t port : ports)
            tg.start_soon([&, port]() -> task<> {
                const auto place = co_await at_a_time.hold();
                const bool answers = co_await is_open(addresses[0].address(), port);
                if (answers)
                    open.insert(port);
            });
    });
    for (const std::uint16_t port : open)
        std::cout << port << " is open\n";
    std::cout << open.size() << " of " << ports.size() << " ports are open\n";
}

task<> demonstrate() {
    auto one = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    auto two = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    auto gone = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    std::vector ports{one.local_port(), two.local_port(), gone.local_port()};
    co_await gone.aclose();
    co_await check("127.0.0.1", std::move(ports));
}

int main(int count, char** words) {
    if (count != 4)
        return program::run(demonstrate);
    return program::run([&] {
        std::vector<std::uint16_t> ports;
        for (int port = program::port_of(words[2]); port <= program::port_of(words[3]);
             ++port)
            ports.push_back(static_cast<std::uint16_t>(port));
        return check(words[1], ports);
    });
}

// Output:
// ...
// 2 of 3 ports are open
