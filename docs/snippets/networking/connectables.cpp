// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;
using namespace std::chrono_literals;

// Knows neither where the server is, nor of what kind.
class client {
public:
    explicit client(anyio::abc::byte_stream_connectable server)
        : server_(std::move(server)) {}

    // A connection for each question, and another one if there is none.
    task<std::string> ask(std::string question) {
        for (int attempt = 1;; ++attempt) {
            try {
                anyio::abc::byte_stream stream = co_await server_.connect();
                co_await stream.send(question);
                co_await stream.send_eof();
                std::string answer;
                while (auto chunk = co_await stream.next())
                    answer += chunk->str();
                co_return answer;
            } catch (const anyio::connection_failed& e) {
                if (attempt == 3)
                    throw;
                std::cerr << e.what() << "\n";
            }
            co_await anyio::sleep(100ms);
        }
    }

private:
    anyio::abc::byte_stream_connectable server_;
};

task<> echo(anyio::socket_stream stream) {
    while (auto chunk = co_await stream.next())
        co_await stream.send(*chunk);
}

task<> main_task() {
    auto listener = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    co_await anyio::with(
        anyio::create_task_group(),
        [&](anyio::task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> { co_await listener.serve(echo); });

            // A UNIX server would be as_connectable("/run/service.sock").
            client local(anyio::as_connectable("127.0.0.1", listener.local_port()));
            const std::string answer = co_await local.ask("hello");
            std::cout << answer << "\n";
            tg.cancel();
        }
    );
}

int main() {
    anyio::run(main_task);
}

// Output:
// hello
