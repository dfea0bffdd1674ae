// SPDX-License-Identifier: MIT
#include <anyio/base/unique_fd.hpp>
#include "faults/echo.hpp"
#include "faults/fault_sweep.hpp"

#include <array>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

// What the networking chapter does when system calls fail. A new scenario is a coroutine
// that ends by itself, and checks its results with demand().

using namespace anyio;
using namespace std::chrono_literals;
using support::ask;
using support::call;
using support::demand;
using support::echo;
using support::fault;
using support::message;

namespace {

/// Knows one host, which has several addresses; only the last one answers.
class several_addresses final : public resolver {
public:
    task<std::vector<ip_endpoint>>
    getaddrinfo(std::string, std::uint16_t port, getaddrinfo_options) override {
        std::vector<ip_endpoint> found;
        found.emplace_back(*ip_address::parse("127.0.0.2"), port);
        found.emplace_back(ipv6_address::loopback(), port);
        found.emplace_back(ipv4_address::loopback(), port);
        co_return found;
    }
};

/// How many datagrams fit into the queue of a UNIX socket. More make the sender wait.
int queue_length() {
    int length = 0;
    std::ifstream("/proc/sys/net/unix/max_dgram_qlen") >> length;
    return length + 1;
}

/// Servers try again when there is none of something.
bool concerns_accept(const fault& f) {
    return f.which == call::accept4;
}

}  // namespace

ANYIO_FAULT_SWEEP(tcp_echo) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            auto server = co_await listener.accept();
            co_await echo(server);
        });
        auto client = co_await connect_tcp("127.0.0.1", listener.local_port());
        co_await ask(client);
    });
    co_await listener.aclose();
}

ANYIO_FAULT_SWEEP(listeners_of_all_families) {
    auto listener = co_await create_tcp_listener();
    demand(listener.local_port() != 0, "a listener has a port");
    for (const ip_endpoint& endpoint : listener.local_addresses())
        demand(endpoint.port() == listener.local_port(), "all have the same port");
}

// Addresses that cannot be connected to are what it is for. (Of the first address the
// failure is real already.)
ANYIO_FAULT_SWEEP(happy_eyeballs) {
    several_addresses several;
    resolver* const before = set_resolver(&several);
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    auto client = co_await connect_tcp("several", listener.local_port());
    auto server = co_await listener.accept();
    demand(client.remote_address() == server.local_address(), "the last one answers");
    co_await server.send("x");
    const bytes got = co_await client.receive();
    demand(got == as_bytes("x"), "the winner is connected");
    set_resolver(before);
}

// It reports each shortage once.
ANYIO_FAULT_SWEEP(serving, &concerns_accept, true) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            co_await listener.serve([](socket_stream client) -> task<> {
                co_await echo(client);
            });
        });
        for (int i = 0; i < 3; ++i) {
            auto client = co_await connect_tcp("127.0.0.1", listener.local_port());
            co_await ask(client);
        }
        group.cancel();
    });
}

ANYIO_FAULT_SWEEP(unix_echo) {
    const auto name = unix_address::abstract(describe("anyio-faults-", ::getpid()));
    auto listener = co_await create_unix_listener(name);
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            auto server = co_await listener.accept();
            co_await echo(server);
        });
        auto client = co_await connect_unix(name);
        co_await ask(client);
    });
}

ANYIO_FAULT_SWEEP(unix_pair) {
    auto [one, two] = create_unix_socket_pair();
    co_await one.send("x");
    const bytes got = co_await two.receive();
    demand(got == as_bytes("x"), "the ends are connected");
}

ANYIO_FAULT_SWEEP(udp) {
    auto one = co_await create_udp_socket({.local_host = "127.0.0.1"});
    const ip_endpoint where = one.local_address();
    auto two = co_await create_connected_udp_socket("127.0.0.1", where.port());
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            for (int i = 0; i < 3; ++i) {
                const udp_packet packet = co_await one.receive();
                co_await one.send(packet);
            }
        });
        co_await wait_all_tasks_blocked();
        for (int i = 0; i < 3; ++i) {
            co_await two.send(message);
            const bytes answer = co_await two.receive();
            demand(answer == as_bytes(message), "datagrams come whole");
        }
    });
    co_await one.aclose();
    co_await two.aclose();
}

ANYIO_FAULT_SWEEP(unix_datagrams) {
    const auto name = unix_address::abstract(describe("anyio-faults-", ::getpid()));
    const auto own = unix_address::abstract(describe("anyio-faults-own-", ::getpid()));
    auto one = co_await create_unix_datagram_socket({.local_path = name});
    auto two = co_await create_unix_datagram_socket({.local_path = own});
    const int many = queue_length() + 5;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            for (int i = 0; i < many; ++i) {
                const unix_datagram_packet packet = co_await one.receive(100);
                demand(packet.data == as_bytes(message), "datagrams come whole");
                demand(packet.address == own, "the sender is known");
            }
        });
        for (int i = 0; i < many; ++i)
            co_await two.send_to(message, name);
    });
}

ANYIO_FAULT_SWEEP(files) {
    const unique_fd file(::open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    demand(
        ::write(file.get(), message.data(), message.size()) ==
            static_cast<ssize_t>(message.size()),
        "there is a file"
    );
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    auto client = co_await connect_tcp("127.0.0.1", listener.local_port());
    auto server = co_await listener.accept();
    const std::uint64_t sent = co_await server.send_file(file.get());
    demand(sent == message.size(), "all of the file is sent");
    co_await server.send_eof();
    std::string got;
    while (auto chunk = co_await client.next())
        got += chunk->str();
    demand(got == message, "what comes is what the file has");
}

ANYIO_FAULT_SWEEP(descriptors) {
    std::array<int, 2> ends{};
    demand(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) == 0, "there is a pipe");
    const unique_fd reading(ends[0]);
    const unique_fd writing(ends[1]);
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            co_await wait_readable(reading.get());
            char got = 0;
            demand(::read(reading.get(), &got, 1) == 1, "there is something to read");
        });
        co_await wait_all_tasks_blocked();
        co_await wait_writable(writing.get());
        demand(::write(writing.get(), "x", 1) == 1, "there is room to write");
    });
}
