// SPDX-License-Identifier: MIT
/// @file
/// An echo server for the M8 cases; what bench/raw/echo_epoll_raw.cpp is in this library.
///
/// It prints its port, then serves until SIGTERM or until --seconds have passed, then
/// prints one JSON line with its CPU time and the number of reads that brought data.

#include <anyio/anyio.hpp>
#include <anyio/base/unique_fd.hpp>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace {

using anyio::task;

constexpr std::string_view usage =
    "usage: anyio_echo_server [--port N] [--mode buffer|next] [--backend NAME]\n"
    "                         [--busy 1] [--seconds N]\n"
    "  --port N     port of 127.0.0.1 to listen on; 0, the default, lets the system choose\n"
    "  --mode       buffer: receive_some() into 64 KiB of each connection (default)\n"
    "               next:   next(), which makes a buffer of the right size each time\n"
    "  --backend    epoll, io_uring\n"
    "  --busy 1     never sleep\n"
    "  --seconds N  exit after N seconds (default 60); SIGTERM ends it at any time\n";

std::uint64_t reads = 0;
std::uint64_t transferred = 0;

task<> echo_buffer(anyio::socket_stream client) {
    try {
        anyio::bytes buffer(std::size_t{64} * 1024);
        while (const std::size_t got = co_await client.receive_some(buffer.span())) {
            ++reads;
            transferred += got;
            co_await client.send(buffer.view().first(got));
        }
    } catch (const anyio::broken_resource_error&) {
        // A client that goes away is no error of the server.
    }
}

task<> echo_next(anyio::socket_stream client) {
    try {
        while (auto chunk = co_await client.next()) {
            ++reads;
            transferred += chunk->size();
            co_await client.send(*chunk);
        }
    } catch (const anyio::broken_resource_error&) {
    }
}

/// SIGTERM and the alarm of --seconds.
task<> wait_for_end() {
    sigset_t ends;
    sigemptyset(&ends);
    for (const int number : {SIGTERM, SIGINT, SIGALRM})
        sigaddset(&ends, number);
    sigprocmask(SIG_BLOCK, &ends, nullptr);
    const anyio::unique_fd signals(signalfd(-1, &ends, SFD_NONBLOCK | SFD_CLOEXEC));
    co_await anyio::wait_readable(signals.get());
}

task<> serve(std::uint16_t port, bool next) {
    auto listener = co_await anyio::create_tcp_listener(
        {.local_host = "127.0.0.1", .local_port = port, .backlog = 1024}
    );
    std::printf("%d\n", listener.local_port());
    std::fflush(stdout);
    co_await with(anyio::create_task_group(), [&](anyio::task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            if (next)
                co_await listener.serve(echo_next);
            else
                co_await listener.serve(echo_buffer);
        });
        co_await wait_for_end();
        group.cancel("the end was asked for");
    });
}

void print_cost() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const double cpu_us =
        1e6 * static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
        static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    std::printf(
        "{\"cpu_us\": %.0f, \"requests\": %llu, \"bytes\": %llu, "
        "\"cpu_us_per_request\": %.3f}\n",
        cpu_us,
        static_cast<unsigned long long>(reads),
        static_cast<unsigned long long>(transferred),
        reads == 0 ? 0.0 : cpu_us / static_cast<double>(reads)
    );
}

}  // namespace

int main(int count, char** words) {
    std::uint16_t port = 0;
    unsigned seconds = 60;
    bool next = false;
    anyio::run_options options;
    for (int i = 1; i < count; i += 2) {
        const std::string_view option = words[i];
        const std::string_view value = i + 1 < count ? words[i + 1] : "";
        if (option == "--port") {
            port = static_cast<std::uint16_t>(std::atoi(value.data()));
        } else if (option == "--seconds" && std::atoi(value.data()) > 0) {
            seconds = static_cast<unsigned>(std::atoi(value.data()));
        } else if (option == "--mode" && (value == "next" || value == "buffer")) {
            next = value == "next";
        } else if (option == "--backend" && !value.empty()) {
            options.backend = value;
        } else if (option == "--busy" && value == "1") {
            options.busy_poll = anyio::forever;
        } else {
            std::fputs(usage.data(), stderr);
            return option == "--help" ? 0 : 2;
        }
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    alarm(seconds);
    anyio::run(options, serve, port, next);
    print_cost();
}
