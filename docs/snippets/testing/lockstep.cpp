// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>
#include <anyio/testing/memory_stream.hpp>

#include <iostream>

using anyio::task;

// Two programs that first send and then receive: it works as long as somebody buffers.
template <anyio::byte_stream S>
task<> exchange(S& stream, const char* what) {
    co_await stream.send(what);
    const auto got = co_await stream.receive();
    std::cout << "got " << got.str() << "\n";
}

template <class Pair>
task<> both(Pair& pair) {
    co_await anyio::with(anyio::create_task_group(), [&](anyio::task_group& tg) {
        tg.start_soon([&]() -> task<> { co_await exchange(pair.first, "ping"); });
        tg.start_soon([&]() -> task<> { co_await exchange(pair.second, "pong"); });
    });
}

task<> main_task() {
    auto buffering = anyio::testing::memory_stream_pair();
    co_await both(buffering);
    auto strict = anyio::testing::lockstep_stream_pair();
    co_await both(strict);
}

int main() {
    try {
        anyio::run(main_task);
    } catch (const anyio::deadlock_error&) {
        std::cout << "deadlock: both send, and nobody receives\n";
    }
}

// Output:
// got ping
// got pong
// deadlock: both send, and nobody receives
