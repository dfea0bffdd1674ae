// SPDX-License-Identifier: MIT
#include <anyio/networking/udp_socket.hpp>

#include "networking/datagrams.hpp"

#include <array>
#include <optional>

#include <netinet/in.h>
#include <sys/socket.h>

using namespace anyio;
using namespace std::chrono_literals;
using support::local_udp;
using ::testing::HasSubstr;

static_assert(unreliable_object_stream<udp_socket, udp_packet>);
static_assert(!object_stream<udp_socket, udp_packet>);
static_assert(std::is_trivially_destructible_v<create_udp_socket_options>);

ANYIO_TEST(udp_socket, receives_what_is_sent_to_it_and_from_whom) {
    udp_socket one = co_await local_udp();
    udp_socket two = co_await local_udp();
    co_await one.send_to("hello", two.local_address());
    const udp_packet packet = co_await two.receive();
    EXPECT_EQ(packet.data, as_bytes("hello"));
    EXPECT_EQ(packet.address, one.local_address());
    co_await two.send(udp_packet(bytes("back"), packet.address));
    const auto answer = co_await one.next();
    ANYIO_REQUIRE(answer);
    EXPECT_EQ(*answer, udp_packet(bytes("back"), two.local_address()));
}

ANYIO_TEST(udp_socket, talks_over_ipv6) {
    udp_socket one = co_await local_udp("::1");
    udp_socket two = co_await local_udp("::1");
    co_await one.send_to("hello", two.local_address());
    const udp_packet packet = co_await two.receive();
    EXPECT_EQ(packet.address, one.local_address());
    EXPECT_EQ(extra<socket_attribute::family>(one), socket_family::ipv6);
}

ANYIO_TEST(udp_socket, keeps_the_boundaries_of_datagrams_empty_ones_too) {
    udp_socket one = co_await local_udp();
    udp_socket two = co_await local_udp();
    const std::string large(65507, 'x');
    const std::array<std::string_view, 4> sent{"a", "", "bcd", large};
    for (const std::string_view text : sent)
        co_await one.send_to(text, two.local_address());
    for (const std::string_view text : sent) {
        const udp_packet packet = co_await two.receive();
        EXPECT_TRUE(packet.data == as_bytes(text)) << packet.data.size();
        EXPECT_LE(packet.data.capacity(), packet.data.size() + 4096);
    }
}

ANYIO_TEST(udp_socket, waits_until_a_datagram_comes) {
    udp_socket one = co_await local_udp();
    udp_socket two = co_await local_udp();
    std::string got;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const udp_packet packet = co_await two.receive();
            got = packet.data.str();
        });
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(got, "");
        co_await one.send_to("now", two.local_address());
    });
    EXPECT_EQ(got, "now");
}

ANYIO_TEST(udp_socket, never_hands_out_a_part_of_a_datagram_in_silence) {
    udp_socket one = co_await local_udp();
    udp_socket two = co_await local_udp();
    co_await one.send_to("0123456789", two.local_address());
    co_await one.send_to("0123456789", two.local_address());
    co_await one.send_to("0123456789", two.local_address());

    const auto cut = co_await as_outcome(two.receive(9));
    const auto* const error = caught_as<os_error>(cut.error());
    ANYIO_REQUIRE(error);
    EXPECT_EQ(error->code(), std::errc::message_size);
    EXPECT_EQ(
        std::string(error->what()),
        describe(
            "receive on udp_socket ",
            two.local_address(),
            ": message too long (EMSGSIZE); the datagram had more than 9 bytes, and is lost"
        )
    );

    std::array<std::byte, 9> small{};
    const auto info = co_await two.receive_into(small);
    EXPECT_EQ(info.size, 9u);
    EXPECT_TRUE(info.truncated);
    EXPECT_EQ(info.sender, one.local_address());
    EXPECT_EQ(to_string_view(small), "012345678");

    const udp_packet whole = co_await two.receive(10);
    EXPECT_EQ(whole.data, as_bytes("0123456789"));
}

ANYIO_TEST(udp_socket, receives_into_a_buffer) {
    udp_socket one = co_await local_udp();
    udp_socket two = co_await local_udp();
    std::array<std::byte, 16> buffer{};
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const auto info = co_await two.receive_into(buffer);
            EXPECT_EQ(info.size, 5u);
            EXPECT_FALSE(info.truncated);
            EXPECT_EQ(info.sender, one.local_address());
        });
        co_await wait_all_tasks_blocked();
        co_await one.send_to("hello", two.local_address());
    });
    EXPECT_EQ(to_string_view(byte_view(buffer).first(5)), "hello");
    const auto refused = co_await as_outcome(two.receive_into({}));
    EXPECT_TRUE(is_error<usage_error>(refused.error()));
    const auto nothing = co_await as_outcome(two.receive(0));
    EXPECT_THAT(
        message_of(nothing.error()), HasSubstr("no room; ask for at least one")
    );
}

ANYIO_TEST(udp_socket, has_one_task_for_each_direction) {
    udp_socket one = co_await local_udp();
    udp_socket two = co_await local_udp();
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon({.name = "reader-2"}, [&]() -> task<> {
            co_await one.receive();
        });
        co_await wait_all_tasks_blocked();
        const auto second = co_await as_outcome(one.receive());
        EXPECT_TRUE(is_error<busy_resource_error>(second.error()));
        EXPECT_THAT(
            message_of(second.error()),
            HasSubstr(describe(
                "receive on udp_socket ",
                one.local_address(),
                ": another task is already receiving: \"reader-2\" (this is "
            ))
        );
        co_await two.send_to("to the first", one.local_address());
    });
}

ANYIO_TEST(udp_socket, cancelled_loses_nothing) {
    udp_socket one = co_await local_udp();
    udp_socket two = co_await local_udp();
    for (int i = 0; i < 3; ++i) {
        const auto nothing = co_await move_on_after(1ms, two.receive());
        EXPECT_FALSE(nothing);
    }
    co_await one.send_to("still here", two.local_address());
    cancel_scope scope;
    scope.cancel();
    const bool finished = co_await with(scope, [&]() -> task<> {
        const auto received = co_await as_outcome(two.receive());
        EXPECT_TRUE(received.is_cancelled());
        co_await one.send_to("never", two.local_address());
    });
    EXPECT_FALSE(finished);
    const udp_packet packet = co_await two.receive();
    EXPECT_EQ(packet.data, as_bytes("still here"));
    const auto more = co_await move_on_after(1ms, two.receive());
    EXPECT_FALSE(more);
}

// Whether the datagram or the cancellation is first depends on when the loop looks.
ANYIO_TEST(udp_socket, cancelled_while_a_datagram_comes_loses_nothing) {
    udp_socket one = co_await local_udp();
    udp_socket two = co_await local_udp();
    for (int turns = 0; turns < 100; turns += 9) {
        std::string got;
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            auto reader = group.create_task([&]() -> task<> {
                const udp_packet packet = co_await two.receive();
                got = packet.data.str();
            });
            co_await wait_all_tasks_blocked();
            co_await one.send_to("precious", two.local_address());
            for (int i = 0; i < turns; ++i)
                co_await lowlevel::checkpoint();
            reader.cancel();
        });
        if (got.empty()) {
            const udp_packet packet = co_await fail_after(1s, two.receive());
            got = packet.data.str();
        }
        EXPECT_EQ(got, "precious");
    }
}

ANYIO_TEST(udp_socket, closed_by_another_task_wakes_the_receiver_and_frees_the_port) {
    udp_socket socket = co_await local_udp();
    const ip_endpoint where = socket.local_address();
    outcome<udp_packet> received;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            received = co_await as_outcome(socket.receive());
        });
        co_await wait_all_tasks_blocked();
        co_await socket.aclose();
        udp_socket again = co_await create_udp_socket(
            {.local_host = "127.0.0.1", .local_port = where.port()}
        );
        EXPECT_EQ(again.local_address(), where);
    });
    EXPECT_TRUE(is_error<closed_resource_error>(received.error()));
    EXPECT_THAT(
        message_of(received.error()),
        HasSubstr(
            describe("receive on udp_socket ", where, ": the socket was closed by \"")
        )
    );
    EXPECT_TRUE(socket.is_closed());
    EXPECT_EQ(socket.native_handle(), -1);
    co_await socket.aclose();
    const auto late = co_await as_outcome(socket.receive());
    EXPECT_TRUE(is_error<closed_resource_error>(late.error()));
    const auto send = co_await as_outcome(socket.send_to("x", where));
    EXPECT_EQ(
        message_of(send.error()),
        describe(
            "send on udp_socket → ", where, ": the socket is closed, or was moved from"
        )
    );
    EXPECT_THROW(static_cast<void>(socket.local_address()), closed_resource_error);
}

ANYIO_TEST(udp_socket, aclose_in_a_cancelled_scope_closes) {
    udp_socket socket = co_await local_udp();
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const auto received = co_await as_outcome(socket.receive());
            EXPECT_TRUE(is_error<closed_resource_error>(received.error()));
        });
        co_await wait_all_tasks_blocked();
        co_await aclose_forcefully(socket);
        EXPECT_TRUE(socket.is_closed());
    });
}

ANYIO_TEST(udp_socket, destroyed_with_waiters_ends_them) {
    std::optional<udp_socket> socket;
    socket.emplace(co_await local_udp());
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const auto received = co_await as_outcome(socket->receive());
            EXPECT_TRUE(is_error<closed_resource_error>(received.error()));
        });
        co_await wait_all_tasks_blocked();
        socket.reset();
    });
}

ANYIO_TEST(udp_socket, moves_with_a_task_that_waits) {
    udp_socket one = co_await local_udp();
    udp_socket two = co_await local_udp();
    const ip_endpoint where = two.local_address();
    std::string got;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const udp_packet packet = co_await two.receive();
            got = packet.data.str();
        });
        co_await wait_all_tasks_blocked();
        udp_socket moved(std::move(two));
        EXPECT_TRUE(two.is_closed());
        const auto busy = co_await as_outcome(moved.receive());
        EXPECT_TRUE(is_error<busy_resource_error>(busy.error()));
        co_await one.send_to("hello", where);
        co_await wait_all_tasks_blocked();
        two = std::move(moved);
    });
    EXPECT_EQ(got, "hello");
    EXPECT_EQ(two.local_address(), where);
}

ANYIO_TEST(udp_socket, outlives_a_datagram_that_cannot_be_sent) {
    udp_socket one = co_await local_udp();
    udp_socket two = co_await local_udp();
    const auto large =
        co_await as_outcome(one.send_to(std::string(65508, 'x'), two.local_address()));
    EXPECT_EQ(
        message_of(large.error()),
        describe(
            "send on udp_socket ",
            one.local_address(),
            " → ",
            two.local_address(),
            ": message too long (EMSGSIZE); 65508 bytes are too many for one datagram"
        )
    );
    const auto broadcast =
        co_await as_outcome(one.send_to("x", {*ip_address::parse("255.255.255.255"), 9})
        );
    EXPECT_TRUE(is_error<os_error>(broadcast.error()));
    const auto nowhere = co_await as_outcome(one.send_to("x", ip_endpoint()));
    EXPECT_TRUE(is_error<usage_error>(nowhere.error()));
    const auto other_family =
        co_await as_outcome(one.send_to("x", {ipv6_address::loopback(), 9}));
    EXPECT_TRUE(is_error<os_error>(other_family.error()));
    co_await one.send_to("fine", two.local_address());
    const udp_packet packet = co_await two.receive();
    EXPECT_EQ(packet.data, as_bytes("fine"));
}

// Nobody could tell which datagram an error was about.
ANYIO_TEST(udp_socket, hears_nothing_of_receivers_that_are_not_there) {
    udp_socket one = co_await local_udp();
    ip_endpoint nobody;
    {
        udp_socket two = co_await local_udp();
        nobody = two.local_address();
    }
    co_await one.send_to("x", nobody);
    co_await one.send_to("x", nobody);
    const auto nothing = co_await move_on_after(1ms, one.receive());
    EXPECT_FALSE(nothing);
}

ANYIO_TEST(udp_socket, needs_to_know_its_family) {
    const auto neither = co_await as_outcome(create_udp_socket({.local_port = 0}));
    EXPECT_TRUE(is_error<usage_error>(neither.error()));
    EXPECT_THAT(
        message_of(neither.error()), HasSubstr("neither .family nor .local_host")
    );
    for (const auto family : {address_family::ipv4, address_family::ipv6}) {
        udp_socket any = co_await create_udp_socket({.family = family});
        EXPECT_TRUE(any.local_address().address().is_any());
        EXPECT_EQ(any.local_address().is_v6(), family == address_family::ipv6);
        EXPECT_GT(any.local_address().port(), 0);
    }
    const auto wrong = co_await as_outcome(
        create_udp_socket({.family = address_family::ipv6, .local_host = "127.0.0.1"})
    );
    EXPECT_TRUE(is_error<os_error>(wrong.error()));
}

ANYIO_TEST(udp_socket, shares_its_port_only_if_both_want_to) {
    udp_socket alone = co_await local_udp();
    const std::uint16_t port = alone.local_address().port();
    const auto taken = co_await as_outcome(
        create_udp_socket({.local_host = "127.0.0.1", .local_port = port})
    );
    EXPECT_EQ(
        message_of(taken.error()),
        describe("bind udp 127.0.0.1:", port, ": address already in use (EADDRINUSE)")
    );
    udp_socket one =
        co_await create_udp_socket({.local_host = "127.0.0.1", .reuse_port = true});
    udp_socket two = co_await create_udp_socket(
        {.local_host = "127.0.0.1",
         .local_port = one.local_address().port(),
         .reuse_port = true}
    );
    EXPECT_EQ(one.local_address(), two.local_address());
}

ANYIO_TEST(udp_socket, reports_an_address_that_is_not_of_this_machine) {
    const auto foreign =
        co_await as_outcome(create_udp_socket({.local_host = "192.0.2.1"}));
    EXPECT_EQ(
        message_of(foreign.error()),
        "bind udp 192.0.2.1:0: cannot assign requested address (EADDRNOTAVAIL); no "
        "interface of this machine has that address"
    );
}

ANYIO_TEST(udp_socket, tells_of_itself) {
    udp_socket socket = co_await local_udp();
    EXPECT_EQ(extra<socket_attribute::local_address>(socket), socket.local_address());
    EXPECT_EQ(
        extra<socket_attribute::local_port>(socket), socket.local_address().port()
    );
    EXPECT_EQ(extra<socket_attribute::raw_socket>(socket), socket.native_handle());
    EXPECT_EQ(extra<socket_attribute::family>(socket), socket_family::ipv4);
    abc::unreliable_object_stream<udp_packet> erased(std::move(socket));
    EXPECT_GT(extra<socket_attribute::local_port>(erased), 0);
    co_await erased.aclose();
}

// A socket of both families shows peers of IPv4 as such, and takes them back so.
ANYIO_TEST(udp_socket, of_a_descriptor_for_both_families_answers_both) {
    const int fd = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int no = 0;
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof(any)), 0);
    udp_socket both = udp_socket::from_fd(unique_fd(fd));
    udp_socket four = co_await local_udp();
    co_await four.send_to(
        "hello", {ipv4_address::loopback(), both.local_address().port()}
    );
    const udp_packet packet = co_await both.receive();
    EXPECT_EQ(packet.address, four.local_address());
    co_await both.send_to("back", packet.address);
    const udp_packet answer = co_await four.receive();
    EXPECT_EQ(answer.data, as_bytes("back"));
}
