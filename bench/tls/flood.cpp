// SPDX-License-Identifier: MIT
/// @file
/// How late a timer of 5 ms is in a loop that serves a thousand connections and one peer
/// that floods it: with lines, with single bytes, with TLS records of one byte or of 16 KiB.
/// Prints one line for each; ends with 1 if it was once more than 5 ms late.

#include <anyio/anyio.hpp>
#include <anyio/networking/connect_tls.hpp>
#include <anyio/streams/tls_listener.hpp>
#include "support/certificates.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

using anyio::task;
using namespace std::chrono_literals;

namespace {

constexpr int connections = 1000;
constexpr auto period = 5ms;
constexpr auto time_of_one = 5s;

std::atomic<bool> over{false};

struct lateness {
    anyio::duration worst{};
    int beats = 0;

    [[nodiscard]] double worst_ms() const {
        return std::chrono::duration<double, std::milli>(worst).count();
    }
};

task<> measure(lateness& found) {
    const auto end = anyio::current_time() + time_of_one;
    while (anyio::current_time() < end) {
        const auto due = anyio::current_time() + period;
        co_await anyio::sleep_until(due);
        found.worst = std::max(found.worst, anyio::current_time() - due);
        ++found.beats;
    }
}

/// Peers are another thread's, so that they cost this loop nothing.
class peers {
public:
    template <class F>
    peers(std::string backend, F main)
        : thread_([backend, main] {
              anyio::run({.backend = backend}, [&]() -> task<> {
                  co_await with(
                      anyio::create_task_group(),
                      [&](anyio::task_group& tg) -> task<> {
                          tg.start_soon(main);
                          while (!over)
                              co_await anyio::sleep(20ms);
                          tg.cancel();
                      }
                  );
              });
          }) {}

    peers(const peers&) = delete;
    peers& operator=(const peers&) = delete;

    ~peers() { thread_.join(); }

private:
    std::thread thread_;
};

/// Says something now and then, on each of many connections.
task<> be_modest(std::uint16_t port) {
    std::vector<anyio::socket_stream> all;
    for (int i = 0; i < connections; ++i) {
        auto one = co_await anyio::connect_tcp("127.0.0.1", port);
        all.push_back(std::move(one));
    }
    for (;;)
        for (anyio::socket_stream& one : all) {
            co_await one.send("hello");
            (void)co_await one.receive();
            co_await anyio::sleep(1ms);
        }
}

task<> echo(anyio::socket_stream client) {
    try {
        while (auto chunk = co_await client.next())
            co_await client.send(*chunk);
    } catch (const anyio::error&) {
    }
}

struct flood_of {
    const char* what;
    bool tls;
    std::string piece;
    bool lines;
};

template <class Stream>
task<> send_for_ever(Stream stream, const std::string& piece) {
    try {
        for (;;)
            co_await stream.send(piece);
    } catch (const anyio::error&) {
    }
}

template <class Stream>
task<> read_for_ever(Stream client, bool lines) {
    anyio::buffered_byte_receive_stream<Stream> stream(std::move(client));
    try {
        for (;;) {
            if (lines)
                (void)co_await stream.receive_until("\n", 100);
            else
                (void)co_await stream.receive_exactly(1);
        }
    } catch (const anyio::error&) {
    }
}

task<>
flood(std::uint16_t port, const flood_of& how, const anyio::tls_context& trusted) {
    if (how.tls) {
        auto secure =
            co_await anyio::connect_tls("localhost", port, {.context = &trusted});
        co_await send_for_ever(std::move(secure), how.piece);
    } else {
        auto plain = co_await anyio::connect_tcp("127.0.0.1", port);
        co_await send_for_ever(std::move(plain), how.piece);
    }
}

task<bool> try_one(std::string backend, const flood_of& how) {
    auto ours = anyio::tls_context::server();
    const support::identity who = support::identity_for("localhost");
    ours.use_certificate(who.certificate, who.key);
    auto trusted = anyio::tls_context::client();
    trusted.trust(support::test_authority().certificate);
    auto modest = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    auto below = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    const auto modest_port = modest.local_port();
    const auto port = below.local_port();
    lateness found;
    over = false;
    auto body = [&](anyio::task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await modest.serve(echo); });
        tg.start_soon([&]() -> task<> {
            auto plain = co_await below.accept();
            if (how.tls) {
                auto secure = co_await anyio::wrap_tls(
                    std::move(plain),
                    {.context = &ours, .side = anyio::tls_side::server}
                );
                co_await read_for_ever(std::move(secure), how.lines);
            } else {
                co_await read_for_ever(std::move(plain), how.lines);
            }
        });
        const peers honest(backend, [&] { return be_modest(modest_port); });
        const peers rude(backend, [&] { return flood(port, how, trusted); });
        co_await anyio::sleep(1s);  // until all have connected
        co_await measure(found);
        over = true;
        tg.cancel();
    };
    co_await with(anyio::create_task_group(), body);
    std::printf(
        "%-9s %-22s %5d beats, the latest %.2f ms late\n",
        backend.c_str(),
        how.what,
        found.beats,
        found.worst_ms()
    );
    co_return found.worst <= period;
}

}  // namespace

int main() {
    std::string lines;
    for (int i = 0; i < 32'000; ++i)
        lines += "a\n";
    const flood_of floods[] = {
        {"lines", false, lines, true},
        {"single bytes", false, lines, false},
        {"records of one byte", true, "a", false},
        {"records of lines", true, lines, true},
    };
    bool in_time = true;
    for (const char* backend : {"epoll", "io_uring"})
        for (const flood_of& how : floods)
            in_time = anyio::run(
                          {.backend = backend}, [&] { return try_one(backend, how); }
                      ) &&
                      in_time;
    return in_time ? 0 : 1;
}
