// SPDX-License-Identifier: MIT
#include "networking/late_backend.hpp"
#include "networking/unix_connections.hpp"

#include <array>
#include <functional>
#include <optional>

#include <fcntl.h>

// A task is cancelled, and what it waits for is closed, before either has had an effect. How
// it ends is decided by what came first, on every backend: one that stops an operation at
// once, and one that does so later.

using namespace anyio;
using support::connected_pair;
using support::connected_unix_pair;

namespace {

/// The names of io_uring and epoll come from ANYIO_TEST; this one adds late_backend.
#define CANCEL_AND_CLOSE_TEST(name)                                                    \
    static task<> check_##name();                                                      \
    ANYIO_TEST(cancel_and_close, name) {                                               \
        co_await check_##name();                                                       \
    }                                                                                  \
    ANYIO_LATE_TEST(late_cancel_and_close, name) {                                     \
        co_await check_##name();                                                       \
    }                                                                                  \
    static task<> check_##name()

enum class order { cancel_first, cancel_data_close, close_first };

constexpr std::array orders{
    order::cancel_first, order::cancel_data_close, order::close_first
};

/// Has `wait` wait, then does both in `how`; `data` makes something to receive.
task<> try_order(
    order how,
    std::function<task<>()> wait,
    std::function<void()> close,
    std::function<void()> data
) {
    outcome<bool> ended;
    const auto body = [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> { co_await wait(); });
        co_await wait_all_tasks_blocked();
        if (how == order::close_first)
            close();
        group.cancel();
        if (how == order::cancel_data_close)
            data();
        if (how != order::close_first)
            close();
    };
    ended = co_await as_outcome(with(create_task_group(), body));
    if (how == order::close_first) {
        EXPECT_THAT(
            messages_of(ended.error()),
            ::testing::ElementsAre(::testing::AnyOf(
                ::testing::HasSubstr("closed by \""),
                ::testing::HasSubstr("notify_closing() was called")
            ))
        );
    } else {
        EXPECT_TRUE(ended.has_value());
    }
}

/// In every order, with what `make()` yields, which is closed by its end.
template <class Make, class Wait, class Data>
task<> try_all(Make make, Wait wait, Data data) {
    for (const order how : orders) {
        auto made = co_await make();
        using resource = decltype(made);
        std::optional<resource> held(std::move(made));
        co_await try_order(
            how,
            [&]() -> task<> { co_await wait(*held); },
            [&] { held.reset(); },
            [&] { data(*held); }
        );
    }
}

/// A stream of a pair, and the other one, which stays.
template <class Stream>
struct one_of_two {
    one_of_two(Stream near, Stream far) noexcept
        : stream(std::move(near)), other(std::move(far)) {}

    Stream stream;
    Stream other;
};

task<one_of_two<socket_stream>> make_tcp() {
    auto pair = co_await connected_pair();
    support::use_small_buffers(pair);
    co_return one_of_two<socket_stream>(std::move(pair.client), std::move(pair.server));
}

task<one_of_two<unix_socket_stream>> make_unix() {
    auto pair = connected_unix_pair();
    support::use_small_buffers(pair);
    co_return one_of_two<unix_socket_stream>(
        std::move(pair.client), std::move(pair.server)
    );
}

constexpr auto send_byte = [](auto& pair) {
    EXPECT_EQ(::send(pair.other.native_handle(), "x", 1, MSG_NOSIGNAL), 1);
};

constexpr auto make_some_room = [](auto& pair) {
    std::array<char, 1000> buffer{};
    EXPECT_GT(
        ::recv(pair.other.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT),
        0
    );
};

}  // namespace

CANCEL_AND_CLOSE_TEST(of_a_receive_ends_as_what_came_first) {
    const auto receive = [](auto& pair) -> task<> {
        static_cast<void>(co_await pair.stream.next());
    };
    co_await try_all(make_tcp, receive, send_byte);
    co_await try_all(make_unix, receive, send_byte);
}

CANCEL_AND_CLOSE_TEST(of_a_receive_into_a_buffer_ends_as_what_came_first) {
    std::array<std::byte, 10> buffer{};
    const auto receive = [&](auto& pair) -> task<> {
        static_cast<void>(co_await pair.stream.receive_some(buffer));
    };
    co_await try_all(make_tcp, receive, send_byte);
    co_await try_all(make_unix, receive, send_byte);
}

CANCEL_AND_CLOSE_TEST(of_a_receive_of_descriptors_ends_as_what_came_first) {
    const auto receive = [](auto& pair) -> task<> {
        static_cast<void>(co_await pair.stream.receive_fds(10, 1));
    };
    co_await try_all(make_unix, receive, send_byte);
}

CANCEL_AND_CLOSE_TEST(of_a_send_ends_as_what_came_first) {
    const std::string much = support::pattern(8'000'000);
    const auto send = [&](auto& pair) -> task<> { co_await pair.stream.send(much); };
    co_await try_all(make_tcp, send, make_some_room);
    co_await try_all(make_unix, send, make_some_room);
}

CANCEL_AND_CLOSE_TEST(of_a_send_of_pieces_ends_as_what_came_first) {
    const std::string much = support::pattern(4'000'000);
    const std::array<byte_view, 2> pieces{much, much};
    const auto send = [&](auto& pair) -> task<> { co_await pair.stream.send(pieces); };
    co_await try_all(make_tcp, send, make_some_room);
}

CANCEL_AND_CLOSE_TEST(of_a_send_of_a_file_ends_as_what_came_first) {
    const unique_fd file = support::file_with(support::pattern(8'000'000));
    const auto send = [&](auto& pair) -> task<> {
        static_cast<void>(co_await pair.stream.send_file(file.get()));
    };
    co_await try_all(make_tcp, send, make_some_room);
    co_await try_all(make_unix, send, make_some_room);
}

CANCEL_AND_CLOSE_TEST(of_a_datagram_that_is_waited_for_ends_as_what_came_first) {
    const auto make = []() -> task<udp_socket> {
        return create_udp_socket({.local_host = "127.0.0.1"});
    };
    const auto receive = [](udp_socket& socket) -> task<> {
        static_cast<void>(co_await socket.receive());
    };
    const auto send = [](udp_socket& socket) {
        const int fd = socket.attribute(socket_attribute::raw_socket{});
        sockaddr_storage own{};
        socklen_t size = sizeof(own);
        auto* const generic = reinterpret_cast<sockaddr*>(&own);
        EXPECT_EQ(::getsockname(fd, generic, &size), 0);
        EXPECT_EQ(::sendto(fd, "x", 1, 0, generic, size), 1);
    };
    co_await try_all(make, receive, send);
}

CANCEL_AND_CLOSE_TEST(of_an_accept_ends_as_what_came_first) {
    const auto make = []() -> task<tcp_listener> {
        return create_tcp_listener({.local_host = "127.0.0.1"});
    };
    const auto accept = [](tcp_listener& listener) -> task<> {
        static_cast<void>(co_await listener.accept());
    };
    std::vector<unique_fd> clients;
    const auto connect = [&](tcp_listener& listener) {
        clients.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(listener.local_port());
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const auto* const generic = reinterpret_cast<const sockaddr*>(&to);
        EXPECT_EQ(::connect(clients.back().get(), generic, sizeof(to)), 0);
    };
    co_await try_all(make, accept, connect);
}

CANCEL_AND_CLOSE_TEST(of_a_descriptor_ends_as_what_came_first) {
    for (const order how : orders) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
        const unique_fd reading(ends[0]);
        const unique_fd writing(ends[1]);
        co_await try_order(
            how,
            [&]() -> task<> { co_await wait_readable(reading.get()); },
            [&] { notify_closing(reading.get()); },
            [&] { EXPECT_EQ(::write(writing.get(), "x", 1), 1); }
        );
    }
}
