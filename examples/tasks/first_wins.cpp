// SPDX-License-Identifier: MIT
// A race: ask several servers, take the first answer, cancel the others.
#include <anyio/anyio.hpp>

#include <iostream>
#include <optional>
#include <string>
#include <vector>

using anyio::task;
using namespace std::chrono_literals;

// Stands for a server; says so when nobody needs its answer any more.
task<std::string> ask(std::string server, anyio::duration takes) {
    co_await anyio::try_([&]() -> task<> {
        co_await anyio::sleep(takes);
    }).on_cancel([&] { std::cout << "a slower one is not needed any more\n"; });
    co_return "answer of " + server;
}

task<> race(
    std::optional<std::string>& winner,
    anyio::cancel_scope& scope,
    std::string server,
    anyio::duration takes
) {
    std::string answer = co_await ask(server, takes);
    if (!winner)
        winner = std::move(answer);
    scope.cancel("somebody has won");
}

task<std::string> first_answer() {
    std::optional<std::string> winner;
    co_await anyio::with(anyio::create_task_group(), [&](anyio::task_group& tg) {
        const auto start = [&](const char* server, anyio::duration takes) {
            tg.start_soon(
                race, std::ref(winner), std::ref(tg.cancel_scope()), server, takes
            );
        };
        start("Oslo", 500ms);
        start("Rome", 10ms);
        start("Lima", 800ms);
    });
    co_return winner.value();
}

int main() {
    std::cout << anyio::run(first_answer) << "\n";
}

// Output:
// a slower one is not needed any more
// a slower one is not needed any more
// answer of Rome
