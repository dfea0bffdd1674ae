// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <array>
#include <cstdio>
#include <iostream>

#include <unistd.h>

using anyio::task;

// Who may connect gets a file that it could not open by itself.
task<> hand_out(anyio::unix_socket_stream client) {
    const anyio::process_credentials peer = client.peer_credentials();
    if (peer.uid != ::geteuid())
        co_return;
    std::FILE* const file = std::tmpfile();
    std::fputs("for your eyes only", file);
    std::fflush(file);
    const std::array<int, 1> fds{::fileno(file)};
    co_await client.send_fds("here it is", fds);
    std::fclose(file);  // the client has a descriptor of its own
}

task<> main_task() {
    const auto here = anyio::unix_address::abstract("anyio-manual-vault");
    auto listener = co_await anyio::create_unix_listener(here);
    co_await anyio::with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                co_await listener.serve(hand_out, {.max_connections = 10});
            });
            auto stream = co_await anyio::connect_unix(here);
            const auto [data, fds, truncated] = co_await stream.receive_fds(100, 1);
            std::array<char, 100> text{};
            const auto size = ::pread(fds.at(0).get(), text.data(), text.size(), 0);
            std::cout << data.str() << ": "
                      << std::string(text.data(), static_cast<std::size_t>(size))
                      << "\n";
            tg.cancel();
        }
    );
}

int main() {
    anyio::run(main_task);
}

// Output:
// here it is: for your eyes only
