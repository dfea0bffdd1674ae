// SPDX-License-Identifier: MIT
#include <anyio/networking/tcp_listener.hpp>

#include "networking/unix_connections.hpp"
#include "support/open_descriptors.hpp"

#include <array>
#include <memory>
#include <optional>

using namespace anyio;
using namespace std::chrono_literals;
using support::no_more_descriptors;
using support::receive_all;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

static_assert(!std::is_copy_constructible_v<tcp_listener>);
static_assert(std::is_trivially_destructible_v<create_tcp_listener_options>);
static_assert(std::is_aggregate_v<create_tcp_listener_options>);

namespace {

task<> echo(socket_stream client) {
    while (auto chunk = co_await client.next())
        co_await client.send(*chunk);
}

task<std::string> ask(std::uint16_t port, std::string question) {
    socket_stream stream = co_await connect_tcp("127.0.0.1", port);
    co_await stream.send(question);
    co_await stream.send_eof();
    const std::string answer = co_await receive_all(stream);
    co_return answer;
}

}  // namespace

ANYIO_TEST(tcp_listener, listens_at_the_address_it_was_given) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    EXPECT_GT(listener.local_port(), 0);
    EXPECT_THAT(
        listener.local_addresses(),
        ElementsAre(ip_endpoint(ipv4_address::loopback(), listener.local_port()))
    );
    auto again = co_await create_tcp_listener({.local_host = "::1"});
    EXPECT_THAT(
        again.local_addresses(),
        ElementsAre(ip_endpoint(ipv6_address::loopback(), again.local_port()))
    );
}

ANYIO_TEST(tcp_listener, without_a_host_serves_both_families) {
    auto listener = co_await create_tcp_listener();
    for (const char* host : {"127.0.0.1", "::1"}) {
        auto client = co_await connect_tcp(host, listener.local_port());
        auto server = co_await listener.accept();
        EXPECT_EQ(server.remote_address(), client.local_address());
        EXPECT_EQ(server.local_address(), client.remote_address());
    }
}

ANYIO_TEST(tcp_listener, can_be_told_one_family) {
    auto v4 = co_await create_tcp_listener({.family = address_family::ipv4});
    auto v6 = co_await create_tcp_listener(
        {.local_port = v4.local_port(), .family = address_family::ipv6}
    );
    EXPECT_THAT(
        v4.local_addresses(),
        ElementsAre(ip_endpoint(ipv4_address::any(), v4.local_port()))
    );
    EXPECT_THAT(
        v6.local_addresses(),
        ElementsAre(ip_endpoint(ipv6_address::any(), v4.local_port()))
    );
}

namespace {

class two_loopbacks final : public resolver {
public:
    task<std::vector<ip_endpoint>>
    getaddrinfo(std::string, std::uint16_t port, getaddrinfo_options) override {
        std::vector<ip_endpoint> both;
        both.emplace_back(ipv6_address::loopback(), port);
        both.emplace_back(ipv4_address::loopback(), port);
        both.emplace_back(ipv4_address({127, 0, 0, 2}), port);
        co_return both;
    }
};

}  // namespace

ANYIO_TEST(tcp_listener, several_sockets_share_one_port_and_one_accept) {
    two_loopbacks names;
    set_resolver(&names);
    auto listener = co_await create_tcp_listener({.local_host = "all"});
    set_resolver(nullptr);
    const std::uint16_t port = listener.local_port();
    EXPECT_THAT(
        listener.local_addresses(),
        ElementsAre(
            ip_endpoint(ipv6_address::loopback(), port),
            ip_endpoint(ipv4_address::loopback(), port),
            ip_endpoint(ipv4_address({127, 0, 0, 2}), port)
        )
    );
    for (const char* host : {"127.0.0.2", "::1", "127.0.0.1"}) {
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            group.start_soon([&]() -> task<> {
                auto server = co_await listener.accept();
                EXPECT_EQ(server.local_address().address(), *ip_address::parse(host));
                co_await server.send("hi");
            });
            co_await wait_all_tasks_blocked();
            auto client = co_await connect_tcp(host, port);
            const bytes hi = co_await client.receive();
            EXPECT_EQ(hi, as_bytes("hi"));
        });
    }
}

ANYIO_TEST(tcp_listener, accepts_connections_that_came_before) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    std::vector<socket_stream> clients;
    for (int i = 0; i < 20; ++i) {
        socket_stream client = co_await connect_tcp("127.0.0.1", listener.local_port());
        clients.push_back(std::move(client));
    }
    for (socket_stream& client : clients) {
        auto server = co_await listener.accept();
        EXPECT_EQ(server.remote_address(), client.local_address());
    }
}

ANYIO_TEST(tcp_listener, serves_every_connection_in_a_task_of_its_own) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    std::vector<std::string> answers(50);
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> { co_await listener.serve(echo); });
        co_await with(create_task_group(), [&](task_group& clients) -> task<> {
            for (std::size_t i = 0; i < answers.size(); ++i)
                clients.start_soon([&, i]() -> task<> {
                    answers[i] = co_await ask(listener.local_port(), std::to_string(i));
                });
            co_return;
        });
        group.cancel();
    });
    for (std::size_t i = 0; i < answers.size(); ++i)
        EXPECT_EQ(answers[i], std::to_string(i));
    EXPECT_FALSE(listener.is_closed());
}

ANYIO_TEST(tcp_listener, handlers_may_live_in_a_group_of_yours) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    std::string answer;
    co_await with(create_task_group(), [&](task_group& handlers) -> task<> {
        const std::string prefix = "you said ";
        const auto polite = [prefix](socket_stream client) -> task<> {
            const bytes question = co_await client.receive();
            co_await client.send(prefix + question.str());
        };
        cancel_scope serving;
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            group.start_soon([&]() -> task<> {
                co_await with(serving, [&]() -> task<> {
                    co_await listener.serve(polite, handlers);
                });
            });
            auto client = co_await connect_tcp("127.0.0.1", listener.local_port());
            co_await wait_all_tasks_blocked();
            serving.cancel();
            co_await wait_all_tasks_blocked();
            co_await client.send("hello");  // the handler goes on without the server
            const bytes reply = co_await client.receive();
            answer = reply.str();
        });
    });
    EXPECT_EQ(answer, "you said hello");
}

ANYIO_TEST(tcp_listener, closes_the_stream_when_its_handler_has_ended) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            co_await listener.serve([](socket_stream) -> task<> { co_return; });
        });
        auto client = co_await connect_tcp("127.0.0.1", listener.local_port());
        const auto end = co_await client.next();
        EXPECT_FALSE(end);
        group.cancel();
    });
}

ANYIO_TEST(tcp_listener, a_handler_that_throws_ends_the_server) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    std::optional<socket_stream> client;
    client.emplace(co_await connect_tcp("127.0.0.1", listener.local_port()));
    const auto served = co_await as_outcome(listener.serve([](socket_stream) -> task<> {
        co_await lowlevel::checkpoint();
        throw std::runtime_error("handler failed");
    }));
    EXPECT_THAT(messages_of(served.error()), ElementsAre("handler failed"));
}

ANYIO_TEST(tcp_listener, closing_it_ends_who_accepts) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    const std::string address = to_string(listener.local_addresses().front());
    outcome<socket_stream> accepted;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            accepted = co_await as_outcome(listener.accept());
        });
        co_await wait_all_tasks_blocked();
        group.start_soon({.name = "closer"}, [&]() -> task<> {
            co_await listener.aclose();
            co_await listener.aclose();
        });
    });
    EXPECT_TRUE(is_error<closed_resource_error>(accepted.error()));
    EXPECT_EQ(
        message_of(accepted.error()),
        "accept on tcp_listener " + address +
            ": the listener was closed by \"closer\" while this task waited"
    );
    const auto again = co_await as_outcome(listener.accept());
    EXPECT_TRUE(is_error<closed_resource_error>(again.error()));
    EXPECT_THROW(static_cast<void>(listener.local_port()), closed_resource_error);
    EXPECT_THROW(static_cast<void>(listener.local_addresses()), closed_resource_error);
    const auto served = co_await as_outcome(listener.serve(echo));
    EXPECT_THAT(messages_of(served.error()), SizeIs(1));
}

ANYIO_TEST(tcp_listener, destroying_it_ends_who_accepts) {
    std::optional<tcp_listener> listener;
    listener.emplace(co_await create_tcp_listener({.local_host = "127.0.0.1"}));
    outcome<socket_stream> accepted;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            accepted = co_await as_outcome(listener->accept());
        });
        co_await wait_all_tasks_blocked();
        listener.reset();
    });
    EXPECT_TRUE(is_error<closed_resource_error>(accepted.error()));
}

TEST(tcp_listener, may_be_destroyed_after_the_run) {
    std::optional<tcp_listener> listener;
    run([&]() -> task<> { listener.emplace(co_await create_tcp_listener()); });
    const std::size_t before = support::open_descriptors();
    listener.reset();
    EXPECT_EQ(support::open_descriptors(), before - 1);
}

ANYIO_TEST(tcp_listener, has_one_server_at_a_time) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    outcome<socket_stream> second;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon({.name = "first"}, [&]() -> task<> {
            co_await listener.accept();
        });
        co_await wait_all_tasks_blocked();
        auto other = group.create_task({.name = "second"}, [&]() -> task<> {
            second = co_await as_outcome(listener.accept());
        });
        co_await other.wait();
        group.cancel();
    });
    EXPECT_TRUE(is_error<busy_resource_error>(second.error()));
    EXPECT_THAT(
        message_of(second.error()),
        HasSubstr(
            "another task is already accepting: \"first\" (this is \"second\"); give "
            "each listener one server"
        )
    );
}

ANYIO_TEST(tcp_listener, cancelled_before_and_while_it_waits_loses_no_connection) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    const auto nobody = co_await move_on_after(1ms, listener.accept());
    EXPECT_FALSE(nobody);
    auto client = co_await connect_tcp("127.0.0.1", listener.local_port());
    cancel_scope scope;
    scope.cancel();
    co_await with(scope, [&]() -> task<> {
        co_await listener.accept();
        ADD_FAILURE() << "accepted";
    });
    auto server = co_await listener.accept();
    EXPECT_EQ(server.remote_address(), client.local_address());
}

// The connection and the cancellation come in one pass; the connection is accepted
// already (rule K2).
ANYIO_TEST(tcp_listener, cancelled_in_the_pass_of_the_connection_returns_it) {
    auto one = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    auto two = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    int accepted = 0;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        std::array<cancel_scope, 2> scopes;
        const auto accept = [&](tcp_listener& listener, std::size_t self) -> task<> {
            co_await with(scopes[self], [&]() -> task<> {
                auto stream = co_await listener.accept();
                ++accepted;
                scopes[1 - self].cancel();
                co_await lowlevel::checkpoint();
                ADD_FAILURE() << "not cancelled";
            });
        };
        auto first = group.create_task(accept, std::ref(one), std::size_t{0});
        auto second = group.create_task(accept, std::ref(two), std::size_t{1});
        co_await wait_all_tasks_blocked();
        // Connecting needs no look at the system: the listeners' events come later.
        const unique_fd a(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const unique_fd b(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        for (const auto& [fd, port] :
             {std::pair{a.get(), one.local_port()}, std::pair{b.get(), two.local_port()}
             }) {
            sockaddr_in to{};
            to.sin_family = AF_INET;
            to.sin_port = htons(port);
            to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
        }
        co_await first.wait();
        co_await second.wait();
    });
    EXPECT_EQ(accepted, 2);
}

ANYIO_TEST(tcp_listener, a_thousand_connections_leave_no_descriptor) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    const std::size_t before = support::open_descriptors();
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> { co_await listener.serve(echo); });
        co_await with(create_task_group(), [&](task_group& clients) -> task<> {
            for (int client = 0; client < 50; ++client)
                clients.start_soon([&]() -> task<> {
                    for (int i = 0; i < 20; ++i) {
                        const std::string answer =
                            co_await ask(listener.local_port(), "once more");
                        EXPECT_EQ(answer, "once more");
                    }
                });
            co_return;
        });
        group.cancel();
    });
    EXPECT_EQ(support::open_descriptors(), before);
}

ANYIO_TEST(tcp_listener, out_of_descriptors_backs_off_and_says_so_once) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    const std::string address = to_string(listener.local_addresses().front());
    std::vector<socket_stream> clients;
    for (int i = 0; i < 3; ++i) {
        socket_stream client = co_await connect_tcp("127.0.0.1", listener.local_port());
        clients.push_back(std::move(client));
    }
    ::testing::internal::CaptureStderr();
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        const time_point start = current_time();
        {
            const no_more_descriptors limit;
            group.start_soon([&]() -> task<> {
                co_await listener.serve([](socket_stream client) -> task<> {
                    co_await client.send("at last");
                });
            });
            co_await sleep(450ms);
        }
        for (socket_stream& client : clients) {
            const bytes reply = co_await client.receive();
            EXPECT_EQ(reply, as_bytes("at last"));
        }
        EXPECT_EQ(current_time() - start, 500ms);
        group.cancel();
    });
    EXPECT_EQ(
        ::testing::internal::GetCapturedStderr(),
        "anyio: accept tcp " + address +
            ": too many open files (EMFILE); trying again every 100 ms\n"
    );
}

ANYIO_TEST(tcp_listener, accept_alone_throws_when_out_of_descriptors) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    auto client = co_await connect_tcp("127.0.0.1", listener.local_port());
    outcome<socket_stream> refused;
    {
        const no_more_descriptors limit;
        refused = co_await as_outcome(listener.accept());
    }
    const auto* const error = caught_as<os_error>(refused.error());
    ANYIO_REQUIRE(error);
    EXPECT_EQ(error->code(), std::errc::too_many_files_open);
    auto server = co_await listener.accept();  // it has waited
    EXPECT_EQ(server.remote_address(), client.local_address());
}

ANYIO_TEST(tcp_listener, a_taken_port_is_an_error_unless_both_share_it) {
    auto first = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    const std::uint16_t port = first.local_port();
    const auto second = co_await as_outcome(
        create_tcp_listener({.local_host = "127.0.0.1", .local_port = port})
    );
    EXPECT_EQ(
        message_of(second.error()),
        describe("bind tcp 127.0.0.1:", port, ": address already in use (EADDRINUSE)")
    );
    auto third =
        co_await create_tcp_listener({.local_host = "127.0.0.1", .reuse_port = true});
    auto fourth = co_await create_tcp_listener(
        {.local_host = "127.0.0.1", .local_port = third.local_port(), .reuse_port = true
        }
    );
    EXPECT_EQ(third.local_port(), fourth.local_port());
}

ANYIO_TEST(tcp_listener, an_address_of_another_machine_is_an_error_with_advice) {
    const auto made =
        co_await as_outcome(create_tcp_listener({.local_host = "192.0.2.1"}));
    EXPECT_EQ(
        message_of(made.error()),
        "bind tcp 192.0.2.1:0: cannot assign requested address (EADDRNOTAVAIL); no interface "
        "of this machine has that address"
    );
    const auto negative = co_await as_outcome(create_tcp_listener({.backlog = -1}));
    EXPECT_TRUE(is_error<usage_error>(negative.error()));
}

ANYIO_TEST(tcp_listener, is_closed_at_the_end_of_its_block) {
    std::uint16_t port = 0;
    co_await with(
        create_tcp_listener({.local_host = "127.0.0.1"}),
        [&](tcp_listener& listener) -> task<> {
            port = listener.local_port();
            auto client = co_await connect_tcp("127.0.0.1", port);
        }
    );
    const auto refused = co_await as_outcome(connect_tcp("127.0.0.1", port));
    EXPECT_TRUE(is_error<connection_failed>(refused.error()));
}

// Twice the same address: whatever port the system chooses for it, it is taken then.
ANYIO_TEST(tcp_listener, ports_that_the_system_chose_are_not_blamed) {
    class same_address_twice final : public resolver {
    public:
        task<std::vector<ip_endpoint>>
        getaddrinfo(std::string, std::uint16_t port, getaddrinfo_options) override {
            co_return std::vector<ip_endpoint>(
                2, ip_endpoint(ipv4_address::loopback(), port)
            );
        }
    };

    same_address_twice twice;
    resolver* const before = set_resolver(&twice);
    const auto made = co_await as_outcome(create_tcp_listener({.local_host = "twice"}));
    set_resolver(before);
    EXPECT_EQ(
        message_of(made.error()),
        "bind tcp twice:0: address already in use (EADDRINUSE); none of 8 ports that were "
        "free at one of its 2 addresses was free at all; give a port, or one address"
    );
}
