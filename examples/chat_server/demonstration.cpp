// SPDX-License-Identifier: MIT
#include "chat.hpp"

#include <unistd.h>

using anyio::task;

namespace {

using lines_of = anyio::buffered_byte_stream<anyio::socket_stream>;

task<lines_of> enter(std::uint16_t port, std::string name) {
    auto stream = co_await anyio::connect_tcp("127.0.0.1", port);
    co_await stream.send(name + "\n");
    co_return lines_of(std::move(stream));
}

// What Ann reads.
task<> show_lines(lines_of& from, int count) {
    for (int i = 0; i < count; ++i) {
        const auto line = co_await from.receive_until("\n", 4096);
        std::cout << line.str() << "\n";
    }
}

}  // namespace

task<> demonstrate() {
    co_await with(anyio::create_task_group(), [](anyio::task_group& tg) -> task<> {
        const std::uint16_t port = co_await tg.start(serve, std::uint16_t{0});
        auto ann = co_await enter(port, "Ann");
        co_await show_lines(ann, 1);
        auto bob = co_await enter(port, "Bob");
        co_await show_lines(ann, 1);
        co_await bob.send("hello\n");
        co_await show_lines(ann, 1);
        kill(getpid(), SIGTERM);
        co_await show_lines(ann, 1);
    });
}
