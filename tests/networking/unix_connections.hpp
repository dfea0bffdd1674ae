// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What the tests of UNIX sockets share, and those that are about both kinds of streams.

#include <anyio/base/unique_fd.hpp>
#include "networking/connections.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace support {

/// A new folder, with all that is in it at the end.
class temporary_folder {
public:
    temporary_folder() {
        std::string name =
            (std::filesystem::temp_directory_path() / "anyio-XXXXXX").string();
        if (::mkdtemp(name.data()))
            path_ = name;
    }

    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    [[nodiscard]] std::string file(const char* name) const {
        return path_ + '/' + name;
    }

private:
    std::string path_;
};

/// Lets this process open no more descriptors, as long as it lives.
class no_more_descriptors {
public:
    no_more_descriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const anyio::unique_fd lowest_free(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        rlimit none = before_;
        none.rlim_cur = static_cast<rlim_t>(lowest_free.get());
        ::setrlimit(RLIMIT_NOFILE, &none);
    }

    ~no_more_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

    no_more_descriptors(const no_more_descriptors&) = delete;
    no_more_descriptors& operator=(const no_more_descriptors&) = delete;

private:
    rlimit before_{};
};

/// A file without a name that holds `text`.
inline anyio::unique_fd file_with(const std::string& text) {
    anyio::unique_fd fd(::open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    EXPECT_EQ(
        ::pwrite(fd.get(), text.data(), text.size(), 0),
        static_cast<ssize_t>(text.size())
    );
    return fd;
}

/// All that is in a file.
inline std::string text_of(int fd) {
    struct stat status{};
    EXPECT_EQ(::fstat(fd, &status), 0);
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    EXPECT_EQ(::pread(fd, text.data(), text.size(), 0), status.st_size);
    return text;
}

/// The ends of a socketpair(2).
inline std::pair<anyio::unique_fd, anyio::unique_fd>
socket_pair(int domain = AF_UNIX, int type = SOCK_STREAM) {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::socketpair(domain, type | SOCK_CLOEXEC, 0, ends.data()), 0);
    return {anyio::unique_fd(ends[0]), anyio::unique_fd(ends[1])};
}

/// Two ends of one connection, of one kind or the other.
template <class Stream>
struct pair_of {
    pair_of(Stream connected, Stream accepted) noexcept
        : client(std::move(connected)), server(std::move(accepted)) {}

    Stream client;
    Stream server;
};

using unix_pair = pair_of<anyio::unix_socket_stream>;

inline unix_pair connected_unix_pair() {
    auto [client, server] = socket_pair();
    return {
        anyio::unix_socket_stream::from_fd(std::move(client)),
        anyio::unix_socket_stream::from_fd(std::move(server))
    };
}

struct tcp_kind {
    using stream = anyio::socket_stream;
    static constexpr const char* name = "socket_stream";

    static anyio::task<pair_of<stream>> connected() {
        stream_pair pair = co_await connected_pair();
        co_return pair_of<stream>(std::move(pair.client), std::move(pair.server));
    }
};

struct unix_kind {
    using stream = anyio::unix_socket_stream;
    static constexpr const char* name = "unix_socket_stream";

    static anyio::task<pair_of<stream>> connected() { co_return connected_unix_pair(); }
};

/// Both directions hold some hundred kilobytes.
template <class Stream>
void use_small_buffers(pair_of<Stream>& pair) {
    for (Stream* stream : {&pair.client, &pair.server})
        stream->template set_option<anyio::socket_option::send_buffer_size>(131072);
}

/// Everything up to the end of the stream.
template <class Stream>
anyio::task<std::string> all_of(Stream& stream, std::size_t at_once = 65536) {
    std::string text;
    while (auto chunk = co_await stream.next(at_once))
        text += std::string_view(*chunk);
    co_return text;
}

}  // namespace support

/// A test of both kinds of streams; its body has the template parameter `Kind`.
#define STREAM_SOCKET_TEST(name)                                                       \
    template <class Kind>                                                              \
    static ::anyio::task<> check_##name();                                             \
    ANYIO_TEST(tcp_stream_socket, name) {                                              \
        co_await check_##name<support::tcp_kind>();                                    \
    }                                                                                  \
    ANYIO_TEST(unix_stream_socket, name) {                                             \
        co_await check_##name<support::unix_kind>();                                   \
    }                                                                                  \
    template <class Kind>                                                              \
    static ::anyio::task<> check_##name()
