// SPDX-License-Identifier: MIT
#include <anyio/networking/socket_stream.hpp>
#include <anyio/networking/tcp_listener.hpp>
#include <anyio/networking/unix_listener.hpp>
#include "networking/unix_connections.hpp"
#include "support/own_name.hpp"

#include <string>

using namespace anyio;
using support::all_of;
using support::file_with;
using support::socket_pair;
using support::temporary_folder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

template <class T>
std::string why_not(unique_fd& fd) {
    const int number = fd.get();
    const std::string why =
        message_thrown_by<usage_error>([&] { (void)T::from_fd(std::move(fd)); });
    EXPECT_EQ(fd.get(), number) << "it is still the caller's";
    return why;
}

unique_fd tcp_socket(int family = AF_INET) {
    return unique_fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

}  // namespace

ANYIO_TEST(socket_stream_from_fd, takes_over_a_connection_with_its_options) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    auto client = co_await connect_tcp("127.0.0.1", listener.local_port());
    auto accepted = co_await listener.accept();
    accepted.set_option<socket_option::keep_alive>(true);
    unique_fd copy(::dup(accepted.native_handle()));
    co_await accepted.aclose();
    auto server = socket_stream::from_fd(std::move(copy));
    EXPECT_EQ(server.remote_address(), client.local_address());
    EXPECT_EQ(server.local_address(), client.remote_address());
    EXPECT_TRUE(server.get_option<socket_option::keep_alive>());
    EXPECT_EQ(extra<socket_attribute::family>(server), socket_family::ipv4);
    co_await server.send("taken over");
    co_await server.send_eof();
    const std::string got = co_await all_of(client);
    EXPECT_EQ(got, "taken over");
}

ANYIO_TEST(socket_stream_from_fd, makes_a_blocking_socket_wait_politely) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    auto client = co_await connect_tcp("127.0.0.1", listener.local_port());
    auto accepted = co_await listener.accept();
    unique_fd copy(::dup(accepted.native_handle()));
    const int flags = ::fcntl(copy.get(), F_GETFL);
    EXPECT_EQ(::fcntl(copy.get(), F_SETFL, flags & ~O_NONBLOCK), 0);
    auto server = socket_stream::from_fd(std::move(copy));
    const auto nothing =
        co_await move_on_after(std::chrono::milliseconds(1), server.receive());
    EXPECT_FALSE(nothing);
    EXPECT_NE(::fcntl(server.native_handle(), F_GETFD) & FD_CLOEXEC, 0);
}

ANYIO_TEST(socket_stream_from_fd, says_which_check_has_failed) {
    unique_fd file = file_with("");
    EXPECT_EQ(
        why_not<socket_stream>(file),
        describe(
            "socket_stream::from_fd fd ", file.get(), ": it is no socket (ENOTSOCK)"
        )
    );
    unique_fd datagrams(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    EXPECT_THAT(
        why_not<socket_stream>(datagrams), HasSubstr("not of type SOCK_STREAM")
    );
    auto [one, two] = socket_pair();
    EXPECT_THAT(
        why_not<socket_stream>(one), HasSubstr("not of family AF_INET or AF_INET6")
    );
    for (const int family : {AF_INET, AF_INET6}) {
        unique_fd alone = tcp_socket(family);
        EXPECT_THAT(
            why_not<socket_stream>(alone), HasSubstr("is not connected (ENOTCONN)")
        );
    }
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    unique_fd listening(::dup(extra<socket_attribute::raw_socket>(listener)));
    EXPECT_THAT(
        why_not<socket_stream>(listening),
        HasSubstr("the socket listens; a listener takes it")
    );
}

ANYIO_TEST(tcp_listener_from_fd, takes_over_a_socket_that_listens) {
    std::optional<tcp_listener> first;
    first.emplace(co_await create_tcp_listener({.local_host = "127.0.0.1"}));
    const std::uint16_t port = first->local_port();
    unique_fd copy(::dup(extra<socket_attribute::raw_socket>(*first)));
    first.reset();
    auto listener = tcp_listener::from_fd(std::move(copy));
    EXPECT_EQ(listener.local_port(), port);
    EXPECT_THAT(
        listener.local_addresses(),
        ElementsAre(ip_endpoint(ipv4_address::loopback(), port))
    );
    EXPECT_EQ(extra<socket_attribute::family>(listener), socket_family::ipv4);
    EXPECT_EQ(extra<socket_attribute::local_port>(listener), port);
    auto client = co_await connect_tcp("127.0.0.1", port);
    auto server = co_await listener.accept();
    EXPECT_EQ(server.remote_address(), client.local_address());
}

// anyio #1132: a UNIX listener taken for a TCP one.
ANYIO_TEST(tcp_listener_from_fd, says_which_check_has_failed) {
    auto unix_server = co_await create_unix_listener(support::own_name("from-fd"));
    unique_fd other(::dup(extra<socket_attribute::raw_socket>(unix_server)));
    EXPECT_THAT(why_not<tcp_listener>(other), HasSubstr("tcp_listener::from_fd fd "));
    EXPECT_THAT(
        why_not<tcp_listener>(other), HasSubstr("not of family AF_INET or AF_INET6")
    );
    unique_fd idle = tcp_socket();
    EXPECT_THAT(
        why_not<tcp_listener>(idle), HasSubstr("does not listen; call listen(2) first")
    );
    EXPECT_THAT(why_not<unix_listener>(idle), HasSubstr("not of family AF_UNIX"));
    unique_fd file = file_with("");
    EXPECT_THAT(why_not<tcp_listener>(file), HasSubstr("it is no socket (ENOTSOCK)"));
}

ANYIO_TEST(unix_listener_from_fd, takes_over_a_socket_and_leaves_its_file) {
    const temporary_folder folder;
    const unix_address at(folder.file("socket"));
    std::optional<unix_listener> first;
    first.emplace(co_await create_unix_listener(at));
    unique_fd copy(::dup(extra<socket_attribute::raw_socket>(*first)));
    first.reset();
    {
        auto listener = unix_listener::from_fd(std::move(copy));
        EXPECT_EQ(listener.local_address(), at);
        auto client = co_await connect_unix(at);
        auto server = co_await listener.accept();
        co_await server.send("x");
        const bytes got = co_await client.receive();
        EXPECT_EQ(got, as_bytes("x"));
    }
    EXPECT_EQ(::access(std::string(at.path()).c_str(), F_OK), 0);
    auto [one, two] = socket_pair();
    EXPECT_THAT(why_not<unix_listener>(one), HasSubstr("does not listen"));
}
