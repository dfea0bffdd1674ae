// SPDX-License-Identifier: MIT
// A chat: your first line is your name, the others go to everybody else.
// Usage: chat_server PORT, then several times: nc localhost PORT. Ctrl-C ends it.
#include "chat.hpp"

using anyio::socket_stream, anyio::task;
using namespace std::chrono_literals;

// Empties somebody's outbox into the connection, as fast as that takes it; all that is
// there at once.
static task<> deliver(
    anyio::memory_object_receive_stream<std::string>& inbox,
    socket_stream& client,
    anyio::cancel_scope& presence
) {
    while (auto line = co_await inbox.next()) {
        std::string text = *line + "\n";
        while (inbox.statistics().current_buffer_used != 0)
            text += inbox.receive_nowait() + "\n";
        co_await client.send(text);
    }
    presence.cancel("the chat is over");
}

static task<> listen_to(chat& room, socket_stream& client) {
    anyio::buffered_byte_receive_stream<socket_stream&> lines(client);
    const auto name = co_await anyio::fail_after(60s, lines.receive_until("\n", 80));
    auto [outbox, inbox] = anyio::create_memory_object_stream<std::string>(256);
    co_await with(anyio::create_task_group(), [&](anyio::task_group& tg) -> task<> {
        anyio::cancel_scope& presence = tg.cancel_scope();
        tg.start_soon(deliver, std::ref(inbox), std::ref(client), std::ref(presence));
        const seat here(room, member{text_of(name), std::move(outbox), presence});
        for (;;) {
            const auto line = co_await lines.receive_until("\n", 4096);
            co_await here.say(text_of(line));
        }
    });
}

// To receive_until() the end of a connection is an error; to the server it is none.
static task<> welcome(chat& room, socket_stream client) {
    co_await anyio::try_([&] { return listen_to(room, client); }
    ).except_star<anyio::error>([](const auto&) {});
}

task<> serve(std::uint16_t port, anyio::task_status<std::uint16_t> status) {
    const program::end_signal end;
    chat room;
    auto listener = co_await anyio::create_tcp_listener({.local_port = port});
    status.started(listener.local_port());
    co_await with(anyio::create_task_group(), [&](anyio::task_group& all) -> task<> {
        all.start_soon([&]() -> task<> { co_await room.tell(); });
        auto serving = all.create_task([&]() -> task<> {
            auto handler = [&](socket_stream client) {
                return welcome(room, std::move(client));
            };
            co_await listener.serve(handler, all);
        });
        co_await end.wait();
        serving.cancel("the end was asked for");
        co_await serving.wait();
        // First of all: who connects from now on is refused, and does not wait in vain.
        co_await listener.aclose();
        room.end();  // what is on its way may arrive, if it takes no longer than this:
        all.cancel_scope().set_deadline(anyio::current_time() + 2s);
    });
}

int main(int count, char** words) {
    if (count != 2)
        return program::run(demonstrate);
    return program::run_server(serve, words[1]);
}

// Output:
// * Ann is here
// * Bob is here
// Bob: hello
// * the chat is over
