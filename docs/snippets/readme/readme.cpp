// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>

#include <iostream>
#include <stdexcept>

using namespace std::chrono_literals;
using anyio::create_task_group, anyio::task, anyio::task_group, anyio::with;

task<> echo(anyio::socket_stream client) {
    while (auto chunk = co_await client.next())
        co_await client.send(*chunk);
}

task<>
my_service(anyio::task_status<std::uint16_t> status = anyio::TASK_STATUS_IGNORED) {
    auto listener = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    status.started(listener.local_port());  // tg.start() returns it
    co_await listener.serve(echo);
}

task<> fetch_and_store(
    std::vector<std::string>& results, std::uint16_t port, std::string what
) {
    auto stream = co_await anyio::connect_tcp("127.0.0.1", port);
    co_await stream.send(what);
    auto answer = co_await anyio::fail_after(5s, stream.receive());
    results.push_back(answer.str());
}

task<> main_task() {
    std::vector<std::string> results;  // used by the children: outside the block
    co_await with(create_task_group(), [&](task_group& tg) -> task<> {
        const std::uint16_t port = co_await tg.start(my_service);
        co_await with(create_task_group(), [&](task_group& fetches) {
            fetches.start_soon(fetch_and_store, std::ref(results), port, "a");
            fetches.start_soon(fetch_and_store, std::ref(results), port, "b");
        });
        tg.cancel_scope().cancel();
    });
    std::cout << results.size() << " answers\n";

    const auto risky = []() -> task<> {
        co_await anyio::sleep(1ms);
        throw std::invalid_argument("something went wrong");
    };
    co_await anyio::try_(risky)
        .except_star<std::invalid_argument>([](const auto& errors) {
            for (const std::invalid_argument& e : errors)
                std::cout << e.what() << "\n";
        })
        .finally_([]() -> task<> {
            co_await anyio::sleep(1ms);  // shielded: cleanup may await
            std::cout << "closed\n";
        });
}

int main() {
    anyio::run(main_task);
}

// Output:
// 2 answers
// something went wrong
// closed
