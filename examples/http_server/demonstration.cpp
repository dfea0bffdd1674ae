// SPDX-License-Identifier: MIT
#include "http_server.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

using anyio::task;

namespace {

class temporary_folder {
public:
    temporary_folder() {
        std::string name = std::filesystem::temp_directory_path() / "anyio-XXXXXX";
        if (!mkdtemp(name.data()))
            throw anyio::os_error(errno, "mkdtemp", name);
        path_ = name;
    }

    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

using client = anyio::buffered_byte_stream<anyio::socket_stream>;

task<> ask(client& server, std::string what, std::string range = "") {
    std::string message = what + " HTTP/1.1\r\nHost: localhost\r\n";
    if (!range.empty())
        message += "Range: " + range + "\r\n";
    co_await server.send(message + "\r\n");
    const auto head = co_await server.receive_until("\r\n\r\n", 4096);
    const std::string text = head.str();
    const auto length = text.find("Content-Length: ") + 16;
    const auto size = std::strtoul(text.c_str() + length, nullptr, 10);
    const auto body = co_await server.receive_exactly(size);
    std::cout << what << (range.empty() ? "" : " ") << range << ": "
              << text.substr(0, text.find("\r\n")) << ", " << body.str()
              << (body.str().ends_with("\n") ? "" : "\n");
}

}  // namespace

task<> demonstrate() {
    const temporary_folder files;
    std::ofstream(files.path() / "hello.txt") << "hello, world";
    co_await with(anyio::create_task_group(), [&](anyio::task_group& tg) -> task<> {
        const std::string path = files.path();
        const std::uint16_t port = co_await tg.start(serve, std::uint16_t{0}, path, 30);
        auto stream = co_await anyio::connect_tcp("127.0.0.1", port);
        client server(std::move(stream));
        co_await ask(server, "GET /hello.txt");
        co_await ask(server, "GET /hello.txt", "bytes=7-");
        co_await ask(server, "GET /%2e%2e/etc/passwd");
        co_await ask(server, "PUT /hello.txt");
        tg.cancel();
    });
}
