// SPDX-License-Identifier: MIT
// A stream of one's own, and functions that do not care which stream they get.
#include <anyio/anyio.hpp>

#include <algorithm>
#include <iostream>

using anyio::task;

// An endless row of letters. receive() and next() come from byte_receiver.
class alphabet : public anyio::abc::byte_receiver<alphabet> {
public:
    task<std::size_t> receive_some(anyio::byte_span buffer) {
        const std::size_t count = std::min<std::size_t>(buffer.size(), 10);
        for (std::size_t i = 0; i < count; ++i)
            buffer[i] = static_cast<std::byte>('a' + (next_++ % 26));
        co_return count;
    }

    task<> aclose() {
        std::cout << "closed\n";
        co_return;
    }

private:
    int next_ = 0;
};

static_assert(anyio::byte_receive_stream<alphabet>);

// Not a template: it may live in a source file.
task<std::string> take(anyio::abc::byte_receive_stream from, std::size_t count) {
    anyio::buffered_byte_receive_stream buffered(std::move(from));
    const auto taken = co_await buffered.receive_exactly(count);
    co_await anyio::aclose_forcefully(buffered);
    co_return taken.str();
}

// Neither is this one, which takes connections of any kind.
task<> greet(anyio::abc::listener<>& listener) {
    co_await listener.serve([](anyio::abc::byte_stream client) -> task<> {
        co_await client.send("welcome");
    });
}

task<> main_task() {
    std::cout << co_await take(alphabet(), 30) << "\n";

    auto tcp = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    const auto port = tcp.local_port();
    anyio::abc::listener<> listener(std::move(tcp));
    auto body = [&](anyio::task_group& tg) -> task<> {
        tg.start_soon(greet, std::ref(listener));
        auto client = co_await anyio::connect_tcp("127.0.0.1", port);
        std::cout << (co_await client.receive()).str() << "\n";
        tg.cancel();
    };
    co_await anyio::with(anyio::create_task_group(), body);
}

int main() {
    anyio::run(main_task);
}

// Output:
// closed
// abcdefghijklmnopqrstuvwxyzabcd
// welcome
