// SPDX-License-Identifier: MIT
// 2. Start with readiness: go on when the service is ready, not before
//
// The rule: `co_await tg.start(f)` waits until f has called `status.started(value)`, and
// returns the value. Nobody sleeps "long enough", nobody tries again.
#include <anyio/anyio.hpp>
#include "say.hpp"

#include <map>
#include <string>

using anyio::task;

using answer_map = std::map<std::string, std::string>;

task<> greet(anyio::socket_stream client) {
    while (auto name = co_await client.next())
        co_await client.send("hello, " + name->str());
}

// With the default, serve() can be started by start_soon() as well.
task<> serve(anyio::task_status<std::uint16_t> status = anyio::TASK_STATUS_IGNORED) {
    auto listener = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    say("server: I listen, on a port that the system chose");
    status.started(listener.local_port());
    co_await listener.serve(greet);
}

task<> talk(std::string name, std::uint16_t port, answer_map& answers) {
    auto server = co_await anyio::connect_tcp("127.0.0.1", port);
    co_await server.send(name);
    co_await server.send_eof();
    while (auto chunk = co_await server.next())
        answers[name] += chunk->str();
}

task<> main_task() {
    answer_map answers;
    co_await anyio::with(anyio::create_task_group(), [&](auto& services) -> task<> {
        say("main:   starting the server");
        const std::uint16_t port = co_await services.start(serve);
        say("main:   it is ready, and I know the port");

        co_await anyio::with(anyio::create_task_group(), [&](auto& clients) {
            for (const char* name : {"Ann", "Bob", "Cleo"})
                clients.start_soon(talk, name, port, std::ref(answers));
        });
        say("main:   all clients have their answers; the server may go");
        services.cancel_scope().cancel();
    });
    for (const auto& [name, answer] : answers)
        say("        ", name, " was told: ", answer);
}

int main() {
    anyio::run(main_task);
}

// Output:
// main:   starting the server
// server: I listen, on a port that the system chose
// main:   it is ready, and I know the port
// main:   all clients have their answers; the server may go
//         Ann was told: hello, Ann
//         Bob was told: hello, Bob
//         Cleo was told: hello, Cleo
