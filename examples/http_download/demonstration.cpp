// SPDX-License-Identifier: MIT
#include <anyio/anyio.hpp>
#include "download.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include <unistd.h>

using anyio::task;

namespace {

// No server to start from, only enough of one for this client: see examples/http_server.
task<> answer(const std::string& content, anyio::socket_stream stream) {
    anyio::buffered_byte_stream<anyio::socket_stream> client(std::move(stream));
    const auto head = co_await client.receive_until("\r\n\r\n", 4096);
    const std::string text = head.str();
    if (text.starts_with("HEAD")) {
        co_await client.send(
            "HTTP/1.1 200 OK\r\nAccept-Ranges: bytes\r\nContent-Length: " +
            std::to_string(content.size()) + "\r\n\r\n"
        );
        co_return;
    }
    std::size_t first = 0;
    std::size_t last = 0;
    const char* const range = text.data() + text.find("bytes=") + 6;
    const char* const end = text.data() + text.size();
    const char* const dash = std::from_chars(range, end, first).ptr;
    std::from_chars(dash + 1, end, last);
    const std::string from_to = std::to_string(first) + "-" + std::to_string(last);
    const std::string piece = content.substr(first, last + 1 - first);
    co_await client.send(
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + from_to + "/" +
        std::to_string(content.size()) +
        "\r\nContent-Length: " + std::to_string(piece.size()) + "\r\n\r\n" + piece
    );
}

task<> serve(std::string content, anyio::task_status<std::uint16_t> status) {
    auto listener = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    status.started(listener.local_port());
    co_await listener.serve([&](anyio::socket_stream client) {
        return answer(content, std::move(client));
    });
}

}  // namespace

task<> demonstrate() {
    std::string content;
    for (int i = 0; content.size() < 1'000'000; ++i)
        content += std::to_string(i) + " ";
    content.resize(1'000'000);
    const auto name = std::filesystem::temp_directory_path() /
                      ("anyio-download-" + std::to_string(getpid()));
    co_await with(anyio::create_task_group(), [&](anyio::task_group& tg) -> task<> {
        const std::uint16_t port = co_await tg.start(serve, content);
        const std::string url = "http://127.0.0.1:" + std::to_string(port) + "/numbers";
        const download_result got = co_await download(url, name, 4);
        std::cout << got.bytes << " bytes in " << got.pieces << " pieces\n";
        tg.cancel();
    });
    std::ostringstream received;
    received << std::ifstream(name).rdbuf();
    std::filesystem::remove(name);
    std::cout
        << (received.str() == content ? "it is what the server has\n" : "it differs\n");
}
