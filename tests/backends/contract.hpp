// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What the tests of the contract of backend.hpp share: they run on every backend, whether
/// it completes operations itself or tries them when the system says that they are ready.

#include <anyio/backends/backend.hpp>
#include <anyio/backends/registry.hpp>
#include <anyio/base/unique_fd.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace support {

using namespace std::chrono_literals;
using anyio::unique_fd;
using anyio::backends::backend;
using anyio::backends::cancel_result;
using anyio::backends::descriptor;
using anyio::backends::request;
using anyio::backends::request_code;

/// A request that counts its completions, and keeps what was lent.
struct counted_request : request {
    counted_request(
        request_code what, descriptor& on, void* at = nullptr, std::size_t n = 0
    )
        : request(what, &count, at, n), lends(at == nullptr) {
        target = &on;
    }

    static void count(request& r) noexcept {
        auto& self = static_cast<counted_request&>(r);
        ++self.completions;
        if (self.code == request_code::receive && self.lends && r.result > 0)
            self.lent.assign(
                static_cast<const char*>(r.data), static_cast<std::size_t>(r.result)
            );
    }

    bool lends;
    int completions = 0;
    std::string lent;
};

class contract : public ::testing::TestWithParam<std::string> {
protected:
    contract() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, stream_type, 0, ends.data()), 0);
        one = ends[0];
        two = unique_fd(ends[1]);
    }

    static constexpr int stream_type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

    void write(std::string_view text) const {
        EXPECT_EQ(
            ::write(two.get(), text.data(), text.size()),
            static_cast<ssize_t>(text.size())
        );
    }

    [[nodiscard]] counted_request receive(descriptor& from) {
        return {request_code::receive, from, buffer.data(), buffer.size()};
    }

    /// Waits for what was submitted, a second at most.
    void finish(counted_request& r) const {
        for (int i = 0; i < 100 && r.completions == 0; ++i)
            loop->wait(10ms);
        EXPECT_EQ(r.completions, 1);
    }

    /// Submits and waits; true if it was complete at once.
    bool complete(counted_request& r) const {
        const bool at_once = loop->submit(r);
        if (at_once)
            counted_request::count(r);
        finish(r);
        return at_once;
    }

    /// Cancels, and waits for the end if the backend answers "pending".
    void cancel(counted_request& r) const {
        if (loop->cancel(r) == cancel_result::pending) {
            finish(r);
            EXPECT_EQ(r.result, -ECANCELED);
            EXPECT_FALSE(r.closed);
        } else {
            EXPECT_EQ(r.completions, 0);
        }
    }

    /// Looks at what has happened, without waiting.
    void look() const {
        for (int i = 0; i < 3; ++i)
            loop->wait(0s);
    }

    std::unique_ptr<backend> loop = anyio::backends::make_backend(GetParam());
    int one = -1;  // for the backend
    unique_fd two;
    std::array<char, 100> buffer{};
};

/// A listening socket on 127.0.0.1, and its address.
struct listening {
    listening() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        const int on = 1;
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(fd, generic(), size), 0);
        EXPECT_EQ(::listen(fd, 1024), 0);
        EXPECT_EQ(::getsockname(fd, generic(), &size), 0);
    }

    [[nodiscard]] sockaddr* generic() { return reinterpret_cast<sockaddr*>(&address); }

    [[nodiscard]] unique_fd client() {
        unique_fd made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        EXPECT_EQ(::connect(made.get(), generic(), size), 0);
        return made;
    }

    int fd;
    sockaddr_in address{};
    socklen_t size = sizeof(address);
};

}  // namespace support

using support::contract;
using support::counted_request;
