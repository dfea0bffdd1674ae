// SPDX-License-Identifier: MIT
#include <anyio/networking/as_connectable.hpp>

#include "networking/connections.hpp"

#include <optional>

#include <unistd.h>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

static_assert(byte_stream_connectable<tcp_connectable>);
static_assert(byte_stream_connectable<unix_connectable>);

namespace {

/// What a client reads from a server that says "welcome".
task<std::string> greeting(abc::byte_stream_connectable target) {
    abc::byte_stream stream = co_await target.connect();
    std::string text;
    while (auto chunk = co_await stream.next())
        text += chunk->str();
    co_await stream.aclose();
    co_return text;
}

template <class Stream>
task<> welcome(Stream client) {
    co_await client.send("welcome");
}

}  // namespace

ANYIO_TEST(as_connectable, connects_to_a_host_and_port_any_number_of_times) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            co_await listener.serve(welcome<socket_stream>);
        });
        const auto target = as_connectable("127.0.0.1", listener.local_port());
        for (int i = 0; i < 2; ++i) {
            const std::string text = co_await greeting(target);
            EXPECT_EQ(text, "welcome");
        }
        const auto same = as_connectable(listener.local_addresses().front());
        EXPECT_EQ(same.host(), target.host());
        EXPECT_EQ(same.port(), target.port());
        group.cancel();
    });
}

ANYIO_TEST(as_connectable, takes_a_unix_address_for_a_unix_server) {
    const auto name =
        unix_address::abstract(describe("anyio-connectable-", ::getpid()));
    auto listener = co_await create_unix_listener(name);
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            co_await listener.serve(welcome<unix_socket_stream>);
        });
        const std::string text = co_await greeting(as_connectable(name));
        EXPECT_EQ(text, "welcome");
        group.cancel();
    });
    EXPECT_EQ(as_connectable("/run/x.sock").address().path(), "/run/x.sock");
}

ANYIO_TEST(as_connectable, hands_back_what_is_connectable_already) {
    const tcp_connectable target("example.org", 80);
    const tcp_connectable same = as_connectable(target);
    EXPECT_EQ(same.host(), "example.org");
    const abc::byte_stream_connectable erased =
        as_connectable(abc::byte_stream_connectable(as_connectable(same)));
    co_return;
}

ANYIO_TEST(tcp_connectable, may_go_before_its_task_is_awaited) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    std::optional<tcp_connectable> target;
    target.emplace("127.0.0.1", listener.local_port());
    task<socket_stream> connecting = target->connect();
    target.reset();
    socket_stream client = co_await std::move(connecting);
    EXPECT_EQ(client.remote_address().port(), listener.local_port());
}

ANYIO_TEST(tcp_connectable, fails_with_connection_failed_whatever_the_cause) {
    std::uint16_t port = 0;
    {
        auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
        port = listener.local_port();
    }
    const auto refused =
        co_await as_outcome(tcp_connectable("127.0.0.1", port).connect());
    EXPECT_TRUE(is_error<connection_failed>(refused.error()));
    EXPECT_TRUE(is_error<os_error>(cause_of(refused.error())));

    const auto unknown =
        co_await as_outcome(tcp_connectable("no-such-host.invalid", 80).connect());
    EXPECT_TRUE(is_error<connection_failed>(unknown.error()));
    EXPECT_TRUE(is_error<os_error>(cause_of(unknown.error())));
    EXPECT_THAT(
        message_of(unknown.error()),
        HasSubstr(
            "connect_tcp no-such-host.invalid:80: getaddrinfo no-such-host.invalid: "
        )
    );

    const auto nonsense = co_await as_outcome(tcp_connectable("a b", 80).connect());
    EXPECT_TRUE(is_error<usage_error>(nonsense.error()));
}

ANYIO_TEST(unix_connectable, fails_with_connection_failed) {
    const auto nobody =
        co_await as_outcome(as_connectable("/nowhere/at/all").connect());
    EXPECT_TRUE(is_error<connection_failed>(nobody.error()));
    EXPECT_TRUE(is_error<os_error>(cause_of(nobody.error())));
}

TEST(as_connectable, refuses_what_cannot_be_connected_to) {
    EXPECT_EQ(
        message_thrown_by<usage_error>([] { (void)as_connectable("::1", 0); }),
        "tcp_connectable [::1]:0: port 0 cannot be connected to"
    );
    EXPECT_THROW((void)as_connectable(ip_endpoint()), usage_error);
    EXPECT_THROW((void)as_connectable(unix_address()), usage_error);
    EXPECT_THROW((void)as_connectable(""), usage_error);
    EXPECT_THROW((void)as_connectable(std::string(200, 'x')), usage_error);
}
