// SPDX-License-Identifier: MIT
#include <anyio/networking/connect_tcp.hpp>

#include <anyio/base/cause.hpp>
#include <anyio/base/unique_fd.hpp>
#include "networking/connections.hpp"

#include <cstring>
#include <initializer_list>
#include <memory>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::SizeIs;

namespace {

/// Answers every question with the same addresses.
class fixed_resolver final : public resolver {
public:
    explicit fixed_resolver(std::initializer_list<const char*> addresses) {
        for (const char* address : addresses)
            addresses_.push_back(*ip_address::parse(address));
    }

    task<std::vector<ip_endpoint>>
    getaddrinfo(std::string, std::uint16_t port, getaddrinfo_options) override {
        std::vector<ip_endpoint> found;
        for (const ip_address& address : addresses_)
            found.emplace_back(address, port);
        co_return found;
    }

private:
    std::vector<ip_address> addresses_;
};

/// A port on which nobody listens.
task<std::uint16_t> closed_port() {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    co_return listener.local_port();
}

/// Listens, but never accepts, and has no room for more connections: who connects waits.
/// Linux drops what does not fit into the backlog, and the client sends it again.
class deaf_listener {
public:
    explicit deaf_listener(const char* address)
        : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        const auto octets = ip_address::parse(address)->v4().bytes();
        std::memcpy(&to.sin_addr, octets.data(), octets.size());
        socklen_t size = sizeof(to);
        auto* const generic = reinterpret_cast<sockaddr*>(&to);
        EXPECT_EQ(::bind(listening_.get(), generic, size), 0);
        EXPECT_EQ(::listen(listening_.get(), 0), 0);
        EXPECT_EQ(::getsockname(listening_.get(), generic, &size), 0);
        port_ = ntohs(to.sin_port);
        for (int i = 0; i < 4; ++i) {
            filling_.emplace_back(
                ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
            );
            ::connect(filling_.back().get(), generic, size);
        }
    }

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    unique_fd listening_;
    std::vector<unique_fd> filling_;
    std::uint16_t port_ = 0;
};

}  // namespace

ANYIO_TEST(connect_tcp, connects_to_addresses_of_both_families) {
    for (const char* host : {"127.0.0.1", "::1"}) {
        auto listener = co_await create_tcp_listener({.local_host = host});
        auto stream = co_await connect_tcp(host, listener.local_port());
        EXPECT_EQ(
            stream.remote_address(),
            ip_endpoint(*ip_address::parse(host), listener.local_port())
        );
    }
}

ANYIO_TEST(connect_tcp, connects_to_names) {
    auto listener = co_await create_tcp_listener();
    auto stream = co_await connect_tcp("localhost", listener.local_port());
    EXPECT_TRUE(stream.remote_address().address().is_loopback());
}

ANYIO_TEST(connect_tcp, says_exactly_why_a_single_address_refused) {
    const std::uint16_t port = co_await closed_port();
    const auto refused = co_await as_outcome(connect_tcp("127.0.0.1", port));
    EXPECT_TRUE(is_error<connection_failed>(refused.error()));
    EXPECT_EQ(
        message_of(refused.error()),
        describe("connect_tcp 127.0.0.1:", port, ": connection refused (ECONNREFUSED)")
    );
    const auto* const cause = caught_as<os_error>(cause_of(refused.error()));
    ANYIO_REQUIRE(cause);
    EXPECT_EQ(cause->code(), std::errc::connection_refused);
    EXPECT_EQ(
        std::string(cause->what()),
        describe("connect tcp 127.0.0.1:", port, ": connection refused (ECONNREFUSED)")
    );
    const auto v6 = co_await as_outcome(connect_tcp("::1", port));
    EXPECT_EQ(
        message_of(v6.error()),
        describe("connect_tcp [::1]:", port, ": connection refused (ECONNREFUSED)")
    );
}

ANYIO_TEST(connect_tcp, reports_every_address_when_none_answered) {
    const std::uint16_t port = co_await closed_port();
    fixed_resolver names({"127.0.0.1", "127.0.0.22", "::1"});
    set_resolver(&names);
    const auto refused = co_await as_outcome(connect_tcp("db.internal", port));
    EXPECT_EQ(
        message_of(refused.error()),
        describe(
            "connect_tcp db.internal:",
            port,
            ": none of 3 addresses answered\n",
            "  127.0.0.1:",
            port,
            "     connection refused (ECONNREFUSED)\n",
            "  [::1]:",
            port,
            "         connection refused (ECONNREFUSED)\n",
            "  127.0.0.22:",
            port,
            "    connection refused (ECONNREFUSED)"
        )
    );
    const auto cause = cause_of(refused.error());
    EXPECT_THAT(messages_of(cause), SizeIs(3));
}

ANYIO_TEST(connect_tcp, tries_the_next_address_as_soon_as_one_has_failed) {
    fixed_resolver names({"::1", "127.0.0.1", "127.0.0.2"});
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.2"});
    set_resolver(&names);
    const time_point start = current_time();
    auto stream = co_await connect_tcp("three", listener.local_port());
    EXPECT_EQ(current_time(), start);
    EXPECT_EQ(to_string(stream.remote_address().address()), "127.0.0.2");
}

ANYIO_TEST(connect_tcp, overtakes_an_address_that_does_not_answer) {
    const deaf_listener deaf("127.0.0.9");
    auto listener = co_await create_tcp_listener(
        {.local_host = "127.0.0.1", .local_port = deaf.port()}
    );
    fixed_resolver names({"127.0.0.9", "127.0.0.1"});
    set_resolver(&names);
    const time_point start = current_time();
    auto stream = co_await connect_tcp("half", deaf.port());
    EXPECT_EQ(to_string(stream.remote_address().address()), "127.0.0.1");
    EXPECT_EQ(current_time() - start, 250ms);
    auto patient =
        co_await connect_tcp("half", deaf.port(), {.happy_eyeballs_delay = 2s});
    EXPECT_EQ(current_time() - start, 2250ms);
}

ANYIO_TEST(connect_tcp, the_first_of_several_wins_and_the_others_are_closed) {
    auto listener = co_await create_tcp_listener();
    fixed_resolver names({"127.0.0.1", "::1", "127.0.0.2", "127.0.0.3"});
    set_resolver(&names);
    {
        auto stream = co_await connect_tcp(
            "all", listener.local_port(), {.happy_eyeballs_delay = 0s}
        );
        const auto server = co_await listener.accept();
        static_cast<void>(server);
    }
    // What lost is closed, or was never begun: each ends.
    for (;;) {
        auto server = co_await move_on_after(1ms, listener.accept());
        if (!server)
            break;
        const auto end = co_await as_outcome(server->next());
        EXPECT_TRUE(end.has_error() || !end.value());
    }
}

ANYIO_TEST(connect_tcp, cancelled_while_it_connects_leaves_nothing_open) {
    const deaf_listener deaf("127.0.0.1");
    const auto nothing =
        co_await move_on_after(10ms, connect_tcp("127.0.0.1", deaf.port()));
    EXPECT_FALSE(nothing);
    fixed_resolver names({"127.0.0.1", "127.0.0.1", "127.0.0.1"});
    set_resolver(&names);
    const auto three = co_await move_on_after(10s, connect_tcp("deaf", deaf.port()));
    EXPECT_FALSE(three);
}

ANYIO_TEST(connect_tcp, cancelled_before_it_begins_does_nothing) {
    auto listener = co_await create_tcp_listener();
    cancel_scope scope;
    scope.cancel();
    co_await with(scope, [&]() -> task<> {
        co_await connect_tcp("127.0.0.1", listener.local_port());
        ADD_FAILURE() << "connected";
    });
    const auto nobody = co_await move_on_after(1ms, listener.accept());
    EXPECT_FALSE(nobody);
}

// anyio #1094: the outer scope is cancelled at the moment of the win.
ANYIO_TEST(connect_tcp, cancelled_at_the_moment_of_the_win_leaks_nothing) {
    auto listener = co_await create_tcp_listener();
    for (int steps = 0; steps < 12; ++steps) {
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            group.start_soon([&]() -> task<> {
                auto stream = co_await connect_tcp("127.0.0.1", listener.local_port());
                co_await lowlevel::checkpoint();
            });
            for (int i = 0; i < steps; ++i)
                co_await lowlevel::checkpoint();
            group.cancel();
        });
    }
    // The test fails if a descriptor is left.
}

ANYIO_TEST(connect_tcp, may_be_told_where_to_connect_from) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    auto stream = co_await connect_tcp(
        "127.0.0.1", listener.local_port(), {.local_host = "127.0.0.44"}
    );
    EXPECT_EQ(to_string(stream.local_address().address()), "127.0.0.44");
    const auto foreign = co_await as_outcome(
        connect_tcp("127.0.0.1", listener.local_port(), {.local_host = "192.0.2.1"})
    );
    EXPECT_THAT(
        message_of(foreign.error()),
        HasSubstr(
            "bind tcp 192.0.2.1:0: cannot assign requested address (EADDRNOTAVAIL)"
        )
    );
}

ANYIO_TEST(connect_tcp, refuses_port_zero) {
    const auto zero = co_await as_outcome(connect_tcp("127.0.0.1", 0));
    EXPECT_TRUE(is_error<usage_error>(zero.error()));
}

ANYIO_TEST(connect_tcp, tries_only_addresses_of_the_local_family) {
    fixed_resolver two_families({"::1", "127.0.0.1"});
    resolver* const before = set_resolver(&two_families);
    auto listener = co_await create_tcp_listener();
    for (const char* const local : {"127.0.0.2", "::1"}) {
        auto stream =
            co_await connect_tcp("both", listener.local_port(), {.local_host = local});
        EXPECT_EQ(to_string(stream.local_address().address()), local);
        EXPECT_EQ(stream.remote_address().is_v6(), stream.local_address().is_v6());
    }
    set_resolver(before);
    const auto none = co_await as_outcome(
        connect_tcp("127.0.0.1", listener.local_port(), {.local_host = "::1"})
    );
    EXPECT_TRUE(is_error<connection_failed>(none.error()));
    EXPECT_THAT(
        message_of(none.error()),
        HasSubstr("all addresses of \"127.0.0.1\" are of another family than the local "
                  "one, ::1")
    );
}

ANYIO_TEST(connect_tcp, refuses_a_negative_delay) {
    const auto made =
        co_await as_outcome(connect_tcp("::1", 80, {.happy_eyeballs_delay = -1ms}));
    EXPECT_TRUE(is_error<usage_error>(made.error()));
    EXPECT_THAT(
        message_of(made.error()),
        HasSubstr("connect_tcp [::1]:80: the happy_eyeballs_delay is negative")
    );
}
