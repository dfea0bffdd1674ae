// SPDX-License-Identifier: MIT
#include <anyio/networking/unix_datagram_socket.hpp>
#include <anyio/networking/wait_readable.hpp>
#include "networking/datagrams.hpp"
#include "networking/full_pair.hpp"
#include "networking/late_backend.hpp"

#include <array>
#include <optional>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

// Rule K4 for datagrams: on a backend that cannot stop an operation at once, frames and
// buffers stay until it has ended, and what it has done until then counts.

using namespace anyio;
using namespace std::chrono_literals;
using support::connected_to;
using support::local_udp;

namespace {

/// A socket whose queue is full, and one that sends to it.
struct full_queue {
    full_queue(
        unix_datagram_socket receiving, unix_datagram_socket sending, int queued
    ) noexcept
        : receiver(std::move(receiving)), sender(std::move(sending)), count(queued) {}

    unix_datagram_socket receiver;
    unix_datagram_socket sender;
    int count;
};

task<full_queue> make_full_queue(unix_address name) {
    auto receiver = co_await create_unix_datagram_socket({.local_path = name});
    auto sender = co_await create_unix_datagram_socket();
    int count = 0;
    while (co_await move_on_after(1ms, sender.send_to("x", name)))
        ++count;
    co_return full_queue(std::move(receiver), std::move(sender), count);
}

unix_address own_name() {
    return unix_address::abstract(describe("anyio-late-", ::getpid()));
}

}  // namespace

ANYIO_LATE_TEST(late_datagrams, a_receive_that_waits_is_unwound_when_it_has_ended) {
    udp_socket one = co_await local_udp();
    udp_socket two = co_await local_udp();
    for (int i = 0; i < 3; ++i) {
        const auto nothing = co_await move_on_after(1ms, two.receive());
        EXPECT_FALSE(nothing);
        std::array<std::byte, 10> buffer{};
        const auto none = co_await move_on_after(1ms, two.receive_into(buffer));
        EXPECT_FALSE(none);
    }
    co_await one.send_to("still here", two.local_address());
    const udp_packet packet = co_await two.receive();
    EXPECT_EQ(packet.data, as_bytes("still here"));
}

ANYIO_LATE_TEST(
    late_datagrams, a_datagram_that_comes_after_the_cancellation_is_returned
) {
    udp_socket server = co_await local_udp();
    connected_udp_socket client = co_await connected_to(server);
    std::string got;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        auto reader = group.create_task([&]() -> task<> {
            const bytes data = co_await client.receive();
            got = data.str();
            co_await lowlevel::checkpoint();
            ADD_FAILURE() << "the next checkpoint unwinds";
        });
        co_await wait_all_tasks_blocked();
        reader.cancel();
        co_await server.send_to("late, but here", client.local_address());
        co_await reader.wait();
        EXPECT_EQ(reader.status(), task_handle_status::cancelled);
    });
    EXPECT_EQ(got, "late, but here");
}

ANYIO_LATE_TEST(late_datagrams, aclose_returns_when_the_receiver_has_ended) {
    udp_socket socket = co_await local_udp();
    std::vector<std::string> order;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const auto received = co_await as_outcome(socket.receive());
            EXPECT_TRUE(is_error<closed_resource_error>(received.error()));
            order.emplace_back("receive");
        });
        co_await wait_all_tasks_blocked();
        co_await socket.aclose();
        order.emplace_back("aclose");
    });
    EXPECT_THAT(order, ::testing::ElementsAre("receive", "aclose"));
}

ANYIO_LATE_TEST(late_datagrams, a_cancelled_aclose_does_not_wait_for_the_receiver) {
    udp_socket socket = co_await local_udp();
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const auto received = co_await as_outcome(socket.receive());
            EXPECT_TRUE(is_error<closed_resource_error>(received.error()));
        });
        co_await wait_all_tasks_blocked();
        auto closer = group.create_task([&]() -> task<> {
            co_await socket.aclose();
            ADD_FAILURE() << "it has waited";
        });
        closer.cancel();
        co_await closer.wait();
        EXPECT_TRUE(socket.is_closed());
    });
}

ANYIO_LATE_TEST(
    late_datagrams, an_aclose_that_is_cancelled_while_it_waits_is_forgotten
) {
    udp_socket socket = co_await local_udp();
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const auto received = co_await as_outcome(socket.receive());
            EXPECT_TRUE(is_error<closed_resource_error>(received.error()));
        });
        co_await wait_all_tasks_blocked();
        auto closer = group.create_task([&]() -> task<> { co_await socket.aclose(); });
        co_await lowlevel::checkpoint();
        closer.cancel();
    });
    EXPECT_TRUE(socket.is_closed());
}

ANYIO_LATE_TEST(
    late_datagrams, a_socket_destroyed_with_waiters_leaves_them_their_memory
) {
    std::optional<udp_socket> socket;
    socket.emplace(co_await local_udp());
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            std::array<std::byte, 100> buffer{};
            const auto received = co_await as_outcome(socket->receive_into(buffer));
            EXPECT_TRUE(is_error<closed_resource_error>(received.error()));
        });
        co_await wait_all_tasks_blocked();
        socket.reset();
    });
}

ANYIO_LATE_TEST(
    late_datagrams, a_socket_closed_while_a_cancelled_receive_ends_leaves_it_cancelled
) {
    udp_socket socket = co_await local_udp();
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        auto reader = group.create_task([&]() -> task<> {
            const auto received = co_await as_outcome(socket.receive());
            EXPECT_TRUE(received.is_cancelled());
        });
        co_await wait_all_tasks_blocked();
        reader.cancel();
        co_await socket.aclose();
    });
}

ANYIO_LATE_TEST(
    late_datagrams, a_sender_that_waits_for_room_is_unwound_when_it_has_ended
) {
    const unix_address name = own_name();
    full_queue full = co_await make_full_queue(name);
    const bool sent = co_await move_on_after(1ms, full.sender.send_to("never", name));
    EXPECT_FALSE(sent);
    for (int i = 0; i < full.count; ++i) {
        const unix_datagram_packet packet = co_await full.receiver.receive(64);
        EXPECT_TRUE(packet.data == as_bytes("x"));
    }
    co_await full.sender.send_to("the next", name);
    const unix_datagram_packet packet = co_await full.receiver.receive(64);
    EXPECT_EQ(packet.data, as_bytes("the next"));
}

ANYIO_LATE_TEST(late_datagrams, a_sender_that_waits_for_room_hears_of_its_end) {
    const unix_address name = own_name();
    for (const bool is_cancelled_first : {false, true}) {
        full_queue full = co_await make_full_queue(name);
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            auto sender = group.create_task([&]() -> task<> {
                const auto sent =
                    co_await as_outcome(full.sender.send_to("never", name));
                EXPECT_EQ(sent.is_cancelled(), is_cancelled_first);
                EXPECT_EQ(
                    is_error<closed_resource_error>(sent.error()), !is_cancelled_first
                );
            });
            co_await wait_all_tasks_blocked();
            if (is_cancelled_first)
                sender.cancel();
            co_await full.sender.aclose();
            sender.cancel();
        });
        EXPECT_TRUE(full.sender.is_closed());
    }
}

ANYIO_LATE_TEST(late_datagrams, notify_closing_wakes_both_directions) {
    const support::full_pair ends;
    const unique_fd& one = ends.one;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const auto waited = co_await as_outcome(wait_readable(one.get()));
            EXPECT_TRUE(is_error<closed_resource_error>(waited.error()));
        });
        group.start_soon([&]() -> task<> {
            const auto waited = co_await as_outcome(wait_writable(one.get()));
            EXPECT_TRUE(is_error<closed_resource_error>(waited.error()));
        });
        co_await wait_all_tasks_blocked();
        notify_closing(one.get());
    });
}
