// SPDX-License-Identifier: MIT
#include "piece.hpp"

#include <iostream>
#include <stdexcept>

using anyio::fail_after;
using anyio::socket_stream;
using anyio::task;
using namespace std::chrono_literals;

task<socket_stream> ask(const web_url& from, std::string method, std::string fields) {
    auto server = co_await fail_after(10s, anyio::connect_tcp(from.host, from.port));
    const std::string message = method + " " + from.target +
                                " HTTP/1.1\r\nHost: " + from.authority() +
                                "\r\nConnection: close\r\n" + fields + "\r\n";
    co_await fail_after(10s, server.send(message));
    co_return server;
}

task<> receive(socket_stream& server, response& answer, anyio::bytes& chunk) {
    auto received = co_await fail_after(30s, server.next());
    if (!received)
        co_return answer.end();
    chunk = std::move(*received);
    answer.feed(chunk);
}

// A piece must be the range that was asked for: 200 says that the file has changed.
static void check(const response& answer, const job& work, std::uint64_t begin) {
    const std::string range = "bytes " + std::to_string(begin) + "-";
    const unsigned status = answer.status();
    if (status != (work.ranges ? 206 : 200) ||
        (work.ranges && !answer.content_range().starts_with(range)))
        throw std::runtime_error("get a piece: status " + std::to_string(status));
}

static task<> try_to_get(job& work, piece& wanted) {
    std::string fields;
    if (work.ranges)
        fields = "Range: bytes=" + std::to_string(wanted.at) + "-" +
                 std::to_string(wanted.end - 1) + "\r\n";
    if (work.ranges && !work.tag.empty())
        fields += "If-Range: " + work.tag + "\r\n";
    auto server = co_await ask(work.from, "GET", fields);
    const std::uint64_t begin = wanted.at;
    response answer;
    anyio::bytes chunk;
    while (!answer.done()) {
        co_await receive(server, answer, chunk);
        if (answer.done() || !answer.body().empty())
            check(answer, work, begin);
        for (const anyio::byte_view data : answer.body()) {
            if (wanted.end != 0 && data.size() > wanted.end - wanted.at)
                throw std::runtime_error("get a piece: too much has come");
            work.file.write(data, wanted.at);
            wanted.at += data.size();
        }
        work.shown.update(wanted);
    }
    if (wanted.end != 0 && wanted.at != wanted.end)
        throw anyio::end_of_stream("get a piece: not all has come");
}

task<> get(job& work, piece wanted) {
    // Everything may have come before the connection broke.
    for (int tries_left = 2; wanted.at != wanted.end || wanted.end == 0; --tries_left) {
        try {
            co_await try_to_get(work, wanted);
            break;
        } catch (const anyio::error& error) {
            if (tries_left == 0)
                throw;
            std::cerr << error.what() << "; trying again\n";
            wanted.at = work.ranges ? wanted.at : 0;
        }
    }
    work.bytes += wanted.at - wanted.begin;
}
