// SPDX-License-Identifier: MIT
#include <anyio/networking/udp_socket.hpp>
#include "networking/datagrams.hpp"

#include <array>
#include <optional>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace anyio;
using namespace std::chrono_literals;
using support::connected_to;
using support::local_udp;
using ::testing::HasSubstr;

static_assert(unreliable_object_stream<connected_udp_socket, bytes>);
static_assert(!object_stream<connected_udp_socket, bytes>);

namespace {

/// A port at which nobody is.
task<ip_endpoint> nobody() {
    udp_socket gone = co_await local_udp();
    co_return gone.local_address();
}

std::errc cause_code(const std::exception_ptr& error) {
    const auto* const cause = caught_as<os_error>(cause_of(error));
    return cause ? static_cast<std::errc>(cause->code().value()) : std::errc();
}

}  // namespace

ANYIO_TEST(connected_udp_socket, talks_to_its_peer) {
    udp_socket server = co_await local_udp();
    connected_udp_socket client = co_await connected_to(server);
    EXPECT_EQ(client.remote_address(), server.local_address());
    co_await client.send("hello");
    const udp_packet packet = co_await server.receive();
    EXPECT_EQ(packet, udp_packet(bytes("hello"), client.local_address()));
    co_await server.send(packet);
    const bytes answer = co_await client.receive();
    EXPECT_EQ(answer, as_bytes("hello"));
    co_await server.send_to("", packet.address);
    const auto empty = co_await client.next();
    ANYIO_REQUIRE(empty);
    EXPECT_TRUE(empty->empty());
}

ANYIO_TEST(connected_udp_socket, hears_nobody_but_its_peer) {
    udp_socket server = co_await local_udp();
    udp_socket stranger = co_await local_udp();
    connected_udp_socket client = co_await connected_to(server);
    co_await stranger.send_to("from a stranger", client.local_address());
    co_await server.send_to("from the peer", client.local_address());
    const bytes got = co_await client.receive();
    EXPECT_EQ(got, as_bytes("from the peer"));
    const auto more = co_await move_on_after(1ms, client.receive());
    EXPECT_FALSE(more);
}

// What comes between bind(2) and connect(2) may be anybody's.
ANYIO_TEST(connected_udp_socket, at_a_port_of_its_own_hears_nobody_else_either) {
    udp_socket server = co_await local_udp();
    connected_udp_socket client = co_await create_connected_udp_socket(
        "127.0.0.1", server.local_address().port(), {.local_host = "127.0.0.1"}
    );
    EXPECT_TRUE(client.local_address().address().is_loopback());
    co_await server.send_to("hello", client.local_address());
    const bytes got = co_await client.receive();
    EXPECT_EQ(got, as_bytes("hello"));
}

ANYIO_TEST(connected_udp_socket, is_told_that_nobody_is_there_when_it_receives) {
    const ip_endpoint to = co_await nobody();
    connected_udp_socket client =
        co_await create_connected_udp_socket("127.0.0.1", to.port());
    co_await client.send("is anybody there?");
    const auto received = co_await as_outcome(client.receive());
    EXPECT_TRUE(is_error<broken_resource_error>(received.error()));
    EXPECT_EQ(cause_code(received.error()), std::errc::connection_refused);
    EXPECT_EQ(
        message_of(received.error()),
        describe(
            "receive on connected_udp_socket ",
            client.local_address(),
            " ← ",
            to,
            ": connection refused (ECONNREFUSED)"
        )
    );
}

ANYIO_TEST(
    connected_udp_socket, is_told_while_it_waits_too_and_goes_on_when_the_peer_comes
) {
    const ip_endpoint to = co_await nobody();
    connected_udp_socket client =
        co_await create_connected_udp_socket("127.0.0.1", to.port());
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const auto received = co_await as_outcome(client.receive());
            EXPECT_EQ(cause_code(received.error()), std::errc::connection_refused);
        });
        co_await wait_all_tasks_blocked();
        co_await client.send("is anybody there?");
    });
    udp_socket server =
        co_await create_udp_socket({.local_host = "127.0.0.1", .local_port = to.port()}
        );
    co_await client.send("hello");
    const udp_packet packet = co_await server.receive();
    EXPECT_EQ(packet.data, as_bytes("hello"));
}

ANYIO_TEST(connected_udp_socket, is_told_by_the_next_send) {
    const ip_endpoint to = co_await nobody();
    connected_udp_socket client =
        co_await create_connected_udp_socket("127.0.0.1", to.port());
    co_await client.send("one");
    const auto second = co_await as_outcome(client.send("two"));
    EXPECT_TRUE(is_error<broken_resource_error>(second.error()));
    EXPECT_EQ(cause_code(second.error()), std::errc::connection_refused);
    const auto large = co_await as_outcome(client.send(std::string(70000, 'x')));
    const auto* const error = caught_as<os_error>(large.error());
    ANYIO_REQUIRE(error);
    EXPECT_EQ(error->code(), std::errc::message_size);
}

ANYIO_TEST(connected_udp_socket, reports_what_is_too_large) {
    udp_socket server = co_await local_udp();
    connected_udp_socket client = co_await connected_to(server);
    for (int i = 0; i < 3; ++i)
        co_await server.send_to("0123456789", client.local_address());
    const auto cut = co_await as_outcome(client.receive(9));
    EXPECT_THAT(message_of(cut.error()), HasSubstr("more than 9 bytes, and is lost"));
    std::array<std::byte, 4> small{};
    const received_from_peer info = co_await client.receive_into(small);
    EXPECT_TRUE(info.truncated);
    EXPECT_EQ(info.size, 4u);
    std::array<std::byte, 10> fitting{};
    const received_from_peer whole = co_await client.receive_into(fitting);
    EXPECT_FALSE(whole.truncated);
    EXPECT_EQ(whole.size, 10u);
}

ANYIO_TEST(connected_udp_socket, closed_by_another_task_wakes_its_receiver) {
    udp_socket server = co_await local_udp();
    connected_udp_socket client = co_await connected_to(server);
    const std::uint16_t port = client.local_address().port();
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const auto received = co_await as_outcome(client.receive());
            EXPECT_TRUE(is_error<closed_resource_error>(received.error()));
        });
        co_await wait_all_tasks_blocked();
        co_await client.aclose();
        udp_socket again =
            co_await create_udp_socket({.local_host = "127.0.0.1", .local_port = port});
    });
    const auto sent = co_await as_outcome(client.send("x"));
    EXPECT_EQ(
        message_of(sent.error()),
        "send on connected_udp_socket: the socket is closed, or was moved from"
    );
}

ANYIO_TEST(connected_udp_socket, tries_the_addresses_of_a_name_in_turn) {
    class two_addresses final : public resolver {
        task<std::vector<ip_endpoint>>
        getaddrinfo(std::string, std::uint16_t port, getaddrinfo_options) override {
            std::vector<ip_endpoint> found;
            // No interface has this one; a route to it would need IPv6.
            found.emplace_back(*ip_address::parse("fe80::1%4000000"), port);
            found.emplace_back(ipv4_address::loopback(), port);
            co_return found;
        }
    };

    two_addresses names;
    set_resolver(&names);
    connected_udp_socket second = co_await create_connected_udp_socket("two", 9);
    EXPECT_EQ(second.remote_address(), ip_endpoint(ipv4_address::loopback(), 9));
    const auto six =
        co_await as_outcome(create_connected_udp_socket("two", 9, {.local_host = "::1"})
        );
    EXPECT_TRUE(is_error<connection_failed>(six.error()));
    EXPECT_EQ(
        message_of(six.error()),
        "create_connected_udp_socket two:9: no way to any of 2 addresses"
    );
    const auto* const causes = caught_as<exception_group>(cause_of(six.error()));
    ANYIO_REQUIRE(causes);
    EXPECT_EQ(causes->leaves().size(), 2u);
    set_resolver(nullptr);
}

ANYIO_TEST(connected_udp_socket, refuses_port_0) {
    const auto refused = co_await as_outcome(create_connected_udp_socket("::1", 0));
    EXPECT_TRUE(is_error<usage_error>(refused.error()));
}

ANYIO_TEST(connected_udp_socket, tells_of_itself_through_what_it_is_wrapped_in) {
    udp_socket server = co_await local_udp();
    connected_udp_socket client = co_await connected_to(server);
    const ip_endpoint local = client.local_address();
    abc::unreliable_object_stream<bytes> erased(std::move(client));
    EXPECT_EQ(extra<socket_attribute::remote_address>(erased), server.local_address());
    EXPECT_EQ(extra<socket_attribute::local_address>(erased), local);
    co_await erased.send(bytes("through"));
    const udp_packet packet = co_await server.receive();
    EXPECT_EQ(packet.data, as_bytes("through"));
    co_await server.send_to("back", packet.address);
    const bytes answer = co_await erased.receive();
    EXPECT_EQ(answer, as_bytes("back"));
    co_await erased.aclose();
}

// --- descriptors from elsewhere ---------------------------------------------------------

namespace {

int any_socket(int family, int type) {
    return ::socket(family, type | SOCK_CLOEXEC, 0);
}

template <class Socket>
std::string refusal(unique_fd& fd) {
    const int number = fd.get();
    std::string text = message_thrown_by<usage_error>([&] {
        static_cast<void>(Socket::from_fd(std::move(fd)));
    });
    EXPECT_EQ(fd.get(), number) << "taken over, although it was refused";
    const std::string prefix = describe("from_fd fd ", number, ": ");
    const auto at = text.find(prefix);
    return at == std::string::npos ? text : text.substr(at + prefix.size());
}

}  // namespace

ANYIO_TEST(udp_socket_from_fd, checks_what_it_is_given) {
    unique_fd stream(any_socket(AF_INET, SOCK_STREAM));
    EXPECT_EQ(refusal<udp_socket>(stream), "the socket is not of type SOCK_DGRAM");
    unique_fd local(any_socket(AF_UNIX, SOCK_DGRAM));
    EXPECT_EQ(
        refusal<udp_socket>(local), "the socket is not of family AF_INET or AF_INET6"
    );
    unique_fd unbound(any_socket(AF_INET, SOCK_DGRAM));
    EXPECT_EQ(
        refusal<udp_socket>(unbound), "the socket is not bound; call bind(2) first"
    );
    EXPECT_EQ(
        refusal<connected_udp_socket>(unbound), "the socket is not connected (ENOTCONN)"
    );
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    unique_fd reading(ends[0]);
    const unique_fd writing(ends[1]);
    EXPECT_EQ(refusal<udp_socket>(reading), "it is no socket (ENOTSOCK)");
    EXPECT_THROW(static_cast<void>(udp_socket::from_fd(unique_fd())), os_error);
    co_return;
}

ANYIO_TEST(udp_socket_from_fd, takes_over_what_fits) {
    udp_socket peer = co_await local_udp();
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(peer.local_address().port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    unique_fd fd(any_socket(AF_INET, SOCK_DGRAM));
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
    EXPECT_EQ(
        refusal<udp_socket>(fd), "the socket is connected; a connected socket takes it"
    );
    connected_udp_socket socket = connected_udp_socket::from_fd(std::move(fd));
    EXPECT_FALSE(fd);
    EXPECT_EQ(socket.remote_address(), peer.local_address());
    const auto nothing = co_await move_on_after(1ms, socket.receive());
    EXPECT_FALSE(nothing) << "it does not block the loop";
    co_await socket.send("hello");
    const udp_packet packet = co_await peer.receive();
    EXPECT_EQ(packet.address, socket.local_address());
}

TEST(udp_socket_from_fd, needs_a_loop) {
    EXPECT_THROW(
        static_cast<void>(udp_socket::from_fd(unique_fd())), no_event_loop_error
    );
}
