// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>
#include <anyio/base/unique_fd.hpp>

#include <csignal>
#include <iostream>

#include <sys/signalfd.h>

using anyio::task;
using namespace std::chrono_literals;

// A signal as a descriptor that becomes readable. Block it before there are threads.
anyio::unique_fd blocked_signal(int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    return anyio::unique_fd(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

// A time limit for each step, and no error of one client is one of the server.
task<> serve_client(anyio::socket_stream client) {
    try {
        while (auto chunk = co_await anyio::fail_after(30s, client.next()))
            co_await anyio::fail_after(30s, client.send(*chunk));
    } catch (const anyio::error& error) {
        std::cerr << error.what() << "\n";
    }
}

task<> serve() {
    const anyio::unique_fd end = blocked_signal(SIGTERM);
    auto listener = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    auto body = [&](anyio::task_group& clients) -> task<> {
        auto serving = clients.create_task([&]() -> task<> {
            co_await listener.serve(serve_client, clients);
        });
        std::raise(SIGTERM);  // as `kill` does
        co_await anyio::wait_readable(end.get());
        serving.cancel("no more connections");
        co_await serving.wait();
        // Who connects from now on is refused, instead of waiting for nobody.
        co_await listener.aclose();
        // Those that are there may finish, if it takes no longer than this.
        clients.cancel_scope().set_deadline(anyio::current_time() + 5s);
    };
    co_await with(anyio::create_task_group(), body);
    std::cout << "everybody has gone\n";
}

int main() {
    anyio::run(serve);
}

// Output:
// everybody has gone
