// SPDX-License-Identifier: MIT
#include <anyio/base/unique_fd.hpp>
#include "backends/epoll/epoll_backend.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace anyio;
using namespace std::chrono_literals;
using backends::backend;
using backends::cancel_result;
using backends::descriptor;
using backends::request;
using backends::request_code;

namespace {

/// A request that counts its completions.
struct counted_request : request {
    counted_request(
        request_code what, descriptor& on, void* at = nullptr, std::size_t n = 0
    ) {
        code = what;
        target = &on;
        data = at;
        size = n;
        completed = [](request& r) noexcept {
            ++static_cast<counted_request&>(r).completions;
        };
    }

    int completions = 0;
};

class epoll : public ::testing::Test {
protected:
    epoll() {
        std::array<int, 2> ends{};
        EXPECT_EQ(
            ::socketpair(
                AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()
            ),
            0
        );
        one = ends[0];
        two = unique_fd(ends[1]);
    }

    void write(std::string_view text) const {
        EXPECT_EQ(
            ::write(two.get(), text.data(), text.size()),
            static_cast<ssize_t>(text.size())
        );
    }

    [[nodiscard]] counted_request receive(descriptor& from) {
        return {request_code::receive, from, buffer.data(), buffer.size()};
    }

    std::unique_ptr<backend> loop = backends::make_epoll_backend();
    int one = -1;  // for the backend
    unique_fd two;
    std::array<char, 100> buffer{};
};

}  // namespace

TEST_F(epoll, completes_at_once_what_needs_no_waiting) {
    descriptor& socket = loop->attach(one);
    write("hello");
    counted_request r = receive(socket);
    EXPECT_TRUE(loop->submit(r));
    EXPECT_EQ(r.result, 5);
    EXPECT_EQ(r.completions, 0);
    EXPECT_EQ(loop->pending(), 0u);
    loop->close(socket);
}

TEST_F(epoll, leaves_files_to_worker_threads) {
    EXPECT_EQ(loop->files(), nullptr);
}

TEST_F(epoll, cancels_without_effect) {
    descriptor& socket = loop->attach(one);
    counted_request r = receive(socket);
    EXPECT_FALSE(loop->submit(r));
    EXPECT_EQ(loop->cancel(r), cancel_result::done);
    EXPECT_EQ(loop->pending(), 0u);
    write("hello");
    loop->wait(0s);
    EXPECT_EQ(r.completions, 0);
    counted_request again = receive(socket);
    EXPECT_TRUE(loop->submit(again));
    EXPECT_EQ(again.result, 5);
    loop->close(socket);
}

// A child that has the descriptor too keeps it in the epoll set when it is closed here.
// What it then reports must not reach another descriptor in the old one's place.
TEST_F(epoll, events_of_a_closed_descriptor_do_no_harm) {
    descriptor& socket = loop->attach(one);
    counted_request r = receive(socket);
    EXPECT_FALSE(loop->submit(r));
    const unique_fd duplicate(::fcntl(one, F_DUPFD_CLOEXEC, 0));  // as a fork would
    loop->close(socket);

    std::array<int, 2> ends{};
    EXPECT_EQ(
        ::socketpair(
            AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()
        ),
        0
    );
    descriptor& next = loop->attach(ends[0]);
    const unique_fd far(ends[1]);
    EXPECT_EQ(&next, &socket) << "this test is about reused records";
    counted_request waiting = receive(next);
    counted_request polling(request_code::poll_writable, next);
    EXPECT_FALSE(loop->submit(waiting));
    write("for nobody");
    loop->wait(1s);
    EXPECT_EQ(waiting.completions, 0);
    EXPECT_EQ(::write(far.get(), "x", 1), 1);
    loop->wait(forever);
    EXPECT_EQ(waiting.completions, 1);
    EXPECT_EQ(waiting.result, 1);
    loop->close(next);
}

TEST_F(epoll, connecting_is_not_over_because_of_a_stray_event) {
    const unique_fd listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(listening.get(), generic, size), 0);
    ASSERT_EQ(::listen(listening.get(), 0), 0);
    ASSERT_EQ(::getsockname(listening.get(), generic, &size), 0);
    // Linux lets one more in than the backlog says.
    std::array<unique_fd, 4> filling;
    for (unique_fd& fd : filling) {
        fd.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        ::connect(fd.get(), generic, size);
    }

    descriptor& old = loop->attach(one);
    counted_request r = receive(old);
    EXPECT_FALSE(loop->submit(r));
    const unique_fd duplicate(::fcntl(one, F_DUPFD_CLOEXEC, 0));
    loop->close(old);
    descriptor& socket =
        loop->attach(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    EXPECT_EQ(&old, &socket) << "this test is about reused records";
    counted_request connecting(request_code::connect, socket, &address, size);
    EXPECT_FALSE(loop->submit(connecting));
    write("makes the old descriptor readable and writable");
    loop->wait(10ms);
    EXPECT_EQ(connecting.completions, 0);
    loop->close(socket);
    EXPECT_TRUE(connecting.closed);
}
