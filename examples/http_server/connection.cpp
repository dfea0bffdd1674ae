// SPDX-License-Identifier: MIT
#include "http_server.hpp"

#include <algorithm>

using anyio::socket_stream;
using anyio::task;
using namespace std::chrono_literals;

// What has come beyond the request stays in `unread` for the next.
static task<> receive(request& asked, anyio::bytes& unread, socket_stream& client) {
    while (!asked.done()) {
        if (unread.empty()) {
            auto chunk = co_await client.next(request::max_head);
            if (!chunk)
                throw anyio::end_of_stream("receive a request: the client has gone");
            unread = std::move(*chunk);
        }
        unread.remove_prefix(asked.feed(unread));
    }
}

// In pieces, so that a slow client has time for each, and one that has stopped does not.
static task<>
send(const answer& given, socket_stream& client, anyio::duration patience) {
    co_await anyio::fail_after(patience, client.send(given.head));
    for (std::uint64_t at = given.begin; given.file && at < given.end;) {
        const auto size = std::min(site::piece, given.end - at);
        const auto sent = co_await anyio::fail_after(
            patience, client.send_file(given.file.get(), at, size)
        );
        if (sent < size)  // the head has promised more
            throw std::runtime_error("send a file: it has become shorter");
        at += sent;
    }
}

static task<> drain(socket_stream& client) {
    while (auto chunk = co_await client.next())
        continue;
}

static task<> converse(const site& served, socket_stream& client) {
    anyio::bytes unread;
    for (bool more = true; more;) {
        request asked;
        const bool in_time = co_await anyio::move_on_after(
            served.patience, receive(asked, unread, client)
        );
        if (!in_time && !asked.begun())
            co_return;
        const answer given = make_answer(asked, served.files);
        co_await send(given, client, served.patience);
        more = given.keep_alive;
    }
    // Closing with unread input is a reset, which may overtake the answer (RFC 9112, 9.6).
    co_await client.send_eof();
    co_await anyio::move_on_after(1s, drain(client));
}

task<> serve_client(const site& served, socket_stream client) {
    try {
        co_await converse(served, client);
    } catch (const anyio::end_of_stream&) {
    } catch (const std::runtime_error& error) {
        std::cerr << to_string(client.remote_address()) << ": " << error.what() << "\n";
    }
}
