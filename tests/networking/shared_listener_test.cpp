// SPDX-License-Identifier: MIT
#include <anyio/networking/tcp_listener.hpp>
#include "networking/unix_connections.hpp"

#include <vector>

#include <fcntl.h>

// A listening socket that others have too: servers that were forked, and the next server
// when one is replaced. Here they have duplicates of the descriptor.

using namespace anyio;
using namespace std::chrono_literals;

namespace {

class shared_socket {
public:
    shared_socket() : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(at);
        auto* const generic = reinterpret_cast<sockaddr*>(&at);
        EXPECT_EQ(::bind(listening_.get(), generic, size), 0);
        EXPECT_EQ(::listen(listening_.get(), 50), 0);
        EXPECT_EQ(::getsockname(listening_.get(), generic, &size), 0);
        port_ = ntohs(at.sin_port);
    }

    [[nodiscard]] tcp_listener listener() const {
        return tcp_listener::from_fd(
            unique_fd(::fcntl(listening_.get(), F_DUPFD_CLOEXEC, 0))
        );
    }

    [[nodiscard]] task<socket_stream> client() const {
        return connect_tcp("127.0.0.1", port_);
    }

private:
    unique_fd listening_;
    std::uint16_t port_ = 0;
};

task<> greet(socket_stream client) {
    co_await client.send("hello");
}

task<> greet_and_stay(socket_stream client) {
    co_await client.send("hello");
    static_cast<void>(co_await client.next());
}

task<> expect_greeting(socket_stream& client) {
    const bytes got = co_await client.receive();
    EXPECT_EQ(got, as_bytes("hello"));
}

}  // namespace

ANYIO_TEST(shared_listener, leaves_to_the_next_server_who_came_when_it_had_ended) {
    const shared_socket socket;
    std::vector<socket_stream> clients;
    {
        tcp_listener old = socket.listener();
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            group.start_soon([&]() -> task<> { co_await old.serve(greet); });
            auto first = co_await socket.client();
            co_await expect_greeting(first);
            group.cancel();
        });
        for (int i = 0; i < 3; ++i) {
            auto client = co_await socket.client();
            clients.push_back(std::move(client));
        }
        co_await sleep(1ms);
        co_await old.aclose();
    }
    tcp_listener next = socket.listener();
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> { co_await next.serve(greet); });
        for (socket_stream& client : clients)
            co_await expect_greeting(client);
        group.cancel();
    });
}

ANYIO_TEST(shared_listener, at_its_limit_leaves_the_others_to_who_has_room) {
    const shared_socket socket;
    tcp_listener full = socket.listener();
    tcp_listener other = socket.listener();
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            co_await full.serve(greet_and_stay, {.max_connections = 1});
        });
        auto first = co_await socket.client();
        co_await expect_greeting(first);
        co_await wait_all_tasks_blocked();
        group.start_soon([&]() -> task<> { co_await other.serve(greet); });
        for (int i = 0; i < 20; ++i) {
            auto client = co_await socket.client();
            co_await expect_greeting(client);
        }
        group.cancel();
    });
}

ANYIO_TEST(shared_listener, a_withdrawn_accept_has_taken_nothing) {
    const shared_socket socket;
    std::vector<socket_stream> clients;
    tcp_listener one = socket.listener();
    for (int i = 0; i < 3; ++i) {
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            group.start_soon([&]() -> task<> {
                auto nobody = co_await one.accept();
                ADD_FAILURE() << "it was cancelled before anybody came";
            });
            co_await wait_all_tasks_blocked();
            group.cancel();
        });
    }
    for (int i = 0; i < 3; ++i) {
        auto client = co_await socket.client();
        clients.push_back(std::move(client));
    }
    co_await one.aclose();
    tcp_listener two = socket.listener();
    for (socket_stream& client : clients) {
        auto server = co_await two.accept();
        EXPECT_EQ(server.remote_address(), client.local_address());
    }
}

ANYIO_TEST(shared_listener, a_client_that_has_reset_is_known_by_its_address) {
    const shared_socket socket;
    tcp_listener listener = socket.listener();
    for (int i = 0; i < 2; ++i) {
        auto client = co_await socket.client();
        const ip_endpoint where = client.local_address();
        support::reset_on_close(client);
        co_await client.aclose();
        auto server = co_await listener.accept();
        EXPECT_EQ(server.remote_address(), where);
    }
}
