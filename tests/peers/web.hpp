// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// web: examples/http_server as a process, with files to serve.

#include "peers/peers.hpp"

#include <csignal>
#include <filesystem>
#include <string>

#define NEEDS_THE_SERVER                                                               \
    ANYIO_SKIP_UNLESS(                                                                 \
        std::filesystem::exists(::support::web::program()),                            \
        "no http_server; install libhttp-parser-dev, build anyio_examples"             \
    )                                                                                  \
    ANYIO_NEEDS("curl", "curl")

namespace support {

/// The server, with a few files.
class web {
public:
    static constexpr std::size_t big = 5'000'000;

    [[nodiscard]] static std::string program() {
        return example_program("http_server");
    }

    /// @param seconds  its patience
    explicit web(std::string seconds = "30")
        : server_({program(), "0", files.path(), seconds}) {
        files.write("small.txt", "hello, world");
        files.write("index.html", "the index");
        files.write("big", pattern(big));
        files.write("empty", "");
        std::filesystem::create_symlink("/etc/passwd", files.path("link"));
        std::filesystem::create_directory(files.path("folder"));
    }

    [[nodiscard]] anyio::task<> begin() {
        const std::string line = co_await server_.read_line();
        port = last_number(line);
    }

    [[nodiscard]] std::string url(const std::string& path) const {
        return "http://127.0.0.1:" + std::to_string(port) + path;
    }

    /// What curl prints.
    template <class... Options>
    [[nodiscard]] anyio::task<std::string>
    curl(std::string path, Options... options) const {
        return output_of({"curl", "-s", "--path-as-is", options..., url(path)});
    }

    /// The answer to what is sent as it is, up to the end of the connection.
    [[nodiscard]] anyio::task<std::string> raw(std::string request) const {
        auto client = co_await anyio::connect_tcp("127.0.0.1", port);
        co_await client.send(request);
        const std::string answer = co_await receive_all(client);
        co_return answer;
    }

    /// Asked to end, it ends well.
    [[nodiscard]] anyio::task<> end() {
        server_.kill(SIGTERM);
        const int status = co_await server_.wait();
        EXPECT_EQ(status, 0);
    }

    temporary_folder files;
    std::uint16_t port = 0;

private:
    child server_;
};

}  // namespace support
