// SPDX-License-Identifier: MIT
#include <anyio/networking/unix_datagram_socket.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/networking/udp_socket.hpp>
#include "support/anyio_test.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

static_assert(unreliable_object_stream<unix_datagram_socket, unix_datagram_packet>);
static_assert(unreliable_object_stream<connected_unix_datagram_socket, bytes>);

namespace {

/// A folder that goes with it.
class temporary_folder {
public:
    temporary_folder() {
        std::string name = "/tmp/anyio-datagrams-XXXXXX";
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        path_ = name;
    }

    ~temporary_folder() { std::filesystem::remove_all(path_); }

    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    [[nodiscard]] std::string operator/(const char* name) const {
        return path_ + '/' + name;
    }

private:
    std::string path_;
};

/// An abstract name that nobody else has.
unix_address own_name() {
    static int count = 0;
    return unix_address::abstract(describe("anyio-test-", ::getpid(), '-', ++count));
}

task<unix_datagram_socket> named(unix_address name) {
    auto socket = co_await create_unix_datagram_socket({.local_path = name});
    co_return socket;
}

std::errc code_of(const std::exception_ptr& error) {
    const auto* const known = caught_as<os_error>(error);
    return known ? static_cast<std::errc>(known->code().value()) : std::errc();
}

// How many fit into a queue (net.unix.max_dgram_qlen), and some more.
constexpr int more_than_fit = 2000;

/// Sends until it would have to wait.
task<int> fill(unix_datagram_socket& sender, unix_address to) {
    int sent = 0;
    while (co_await move_on_after(1ms, sender.send_to("x", to)))
        ++sent;
    co_return sent;
}

}  // namespace

ANYIO_TEST(unix_datagram_socket, receives_what_is_sent_to_it_and_from_whom) {
    const temporary_folder folder;
    const std::string path = folder / "one";
    auto one = co_await named(path);
    auto two = co_await named(own_name());
    EXPECT_EQ(one.local_address(), unix_address(path));
    co_await two.send_to("hello", path);
    const unix_datagram_packet packet = co_await one.receive();
    EXPECT_EQ(packet.data, as_bytes("hello"));
    EXPECT_EQ(packet.address, two.local_address());
    co_await one.send(unix_datagram_packet(bytes("back"), packet.address));
    const auto answer = co_await two.next();
    ANYIO_REQUIRE(answer);
    EXPECT_EQ(*answer, unix_datagram_packet(bytes("back"), one.local_address()));
}

ANYIO_TEST(unix_datagram_socket, without_a_name_can_only_send) {
    const unix_address name = own_name();
    auto one = co_await named(name);
    auto two = co_await create_unix_datagram_socket();
    EXPECT_TRUE(two.local_address().is_unnamed());
    co_await two.send_to("hello", name);
    const unix_datagram_packet packet = co_await one.receive();
    EXPECT_TRUE(packet.address.is_unnamed());
    const auto answer = co_await as_outcome(one.send(packet));
    EXPECT_EQ(
        message_of(answer.error()),
        describe(
            "send on unix_datagram_socket ",
            name,
            " → unnamed: there is no address to send to"
        )
    );
}

// The sender is writable all the time, and hears nothing of the receiver's queue.
ANYIO_TEST(unix_datagram_socket, waits_while_the_receiver_has_no_room) {
    const unix_address name = own_name();
    auto one = co_await named(name);
    auto two = co_await create_unix_datagram_socket();
    int sent = 0;
    int received = 0;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            for (int i = 0; i < more_than_fit; ++i, ++sent)
                co_await two.send_to(describe(i), name);
        });
        co_await wait_all_tasks_blocked();
        EXPECT_LT(sent, more_than_fit);
        for (; received < more_than_fit; ++received) {
            const unix_datagram_packet packet = co_await one.receive(64);
            EXPECT_TRUE(packet.data == as_bytes(describe(received)));
        }
    });
    EXPECT_EQ(sent, received);
}

ANYIO_TEST(unix_datagram_socket, cancelled_while_it_waits_for_room_sends_nothing) {
    const unix_address name = own_name();
    auto one = co_await named(name);
    auto two = co_await create_unix_datagram_socket();
    const int sent = co_await fill(two, name);
    EXPECT_GT(sent, 0);
    const bool more = co_await move_on_after(1ms, two.send_to("never", name));
    EXPECT_FALSE(more);
    for (int i = 0; i < sent; ++i) {
        const unix_datagram_packet packet = co_await one.receive(64);
        EXPECT_TRUE(packet.data == as_bytes("x"));
    }
    co_await two.send_to("the next", name);
    const unix_datagram_packet packet = co_await one.receive();
    EXPECT_EQ(packet.data, as_bytes("the next"));
}

ANYIO_TEST(unix_datagram_socket, closed_while_it_waits_for_room_ends_the_sender) {
    const unix_address name = own_name();
    auto one = co_await named(name);
    auto two = co_await create_unix_datagram_socket();
    co_await fill(two, name);
    outcome<void> sent;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon({.name = "first"}, [&]() -> task<> {
            sent = co_await as_outcome(two.send_to("never", name));
        });
        co_await wait_all_tasks_blocked();
        const auto second = co_await as_outcome(two.send_to("busy", name));
        EXPECT_TRUE(is_error<busy_resource_error>(second.error()));
        EXPECT_THAT(
            message_of(second.error()), HasSubstr("already sending: \"first\"")
        );
        unix_datagram_socket moved(std::move(two));
        co_await moved.aclose();
    });
    EXPECT_TRUE(is_error<closed_resource_error>(sent.error()));
}

ANYIO_TEST(unix_datagram_socket, is_told_when_the_receiver_goes_while_it_waits) {
    const unix_address name = own_name();
    std::optional<unix_datagram_socket> one;
    one.emplace(co_await named(name));
    auto two = co_await create_unix_datagram_socket();
    co_await fill(two, name);
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const auto sent = co_await as_outcome(two.send_to("late", name));
            EXPECT_EQ(code_of(sent.error()), std::errc::connection_refused);
        });
        co_await wait_all_tasks_blocked();
        one.reset();
    });
}

ANYIO_TEST(unix_datagram_socket, outlives_a_receiver_that_is_not_there) {
    auto socket = co_await create_unix_datagram_socket();
    const auto nobody = co_await as_outcome(socket.send_to("x", "/nowhere/at/all"));
    EXPECT_EQ(
        message_of(nobody.error()),
        "send on unix_datagram_socket unnamed → /nowhere/at/all: no such file or directory "
        "(ENOENT)"
    );
    const unix_address name = own_name();
    auto other = co_await named(name);
    co_await socket.send_to("x", name);
    const unix_datagram_packet packet = co_await other.receive();
    EXPECT_EQ(packet.data, as_bytes("x"));
}

ANYIO_TEST(unix_datagram_socket, reports_what_is_too_large) {
    const unix_address name = own_name();
    auto one = co_await named(name);
    auto two = co_await create_unix_datagram_socket();
    co_await two.send_to("0123456789", name);
    co_await two.send_to("0123456789", name);
    const auto cut = co_await as_outcome(one.receive(9));
    EXPECT_EQ(code_of(cut.error()), std::errc::message_size);
    std::array<std::byte, 4> small{};
    const auto info = co_await one.receive_into(small);
    EXPECT_TRUE(info.truncated);
    EXPECT_TRUE(info.sender.is_unnamed());
    const auto huge =
        co_await as_outcome(two.send_to(std::string(50'000'000, 'x'), name));
    EXPECT_EQ(code_of(huge.error()), std::errc::message_size);
}

ANYIO_TEST(unix_datagram_socket, has_exactly_the_mode_that_is_asked_for) {
    const temporary_folder folder;
    const std::string path = folder / "private";
    auto socket =
        co_await create_unix_datagram_socket({.local_path = path, .local_mode = 0600u});
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600u);
    const auto abstract = co_await as_outcome(
        create_unix_datagram_socket({.local_path = own_name(), .local_mode = 0600u})
    );
    EXPECT_TRUE(is_error<usage_error>(abstract.error()));
    const auto nonsense = co_await as_outcome(
        create_unix_datagram_socket({.local_path = path, .local_mode = 010000u})
    );
    EXPECT_TRUE(is_error<usage_error>(nonsense.error()));
}

ANYIO_TEST(unix_datagram_socket, replaces_what_a_dead_one_has_left_but_nothing_alive) {
    const temporary_folder folder;
    const std::string path = folder / "socket";
    {
        auto dead = co_await named(path);
    }
    auto alive = co_await named(path);
    const auto second = co_await as_outcome(named(path));
    EXPECT_EQ(code_of(second.error()), std::errc::address_in_use);
    EXPECT_THAT(
        message_of(second.error()), HasSubstr("another socket is in use there")
    );
    auto client = co_await create_unix_datagram_socket();
    co_await client.send_to("x", path);
    const unix_datagram_packet packet = co_await alive.receive();
    EXPECT_EQ(packet.data, as_bytes("x"));
}

ANYIO_TEST(connected_unix_datagram_socket, talks_to_its_peer) {
    const unix_address name = own_name();
    const unix_address back = own_name();
    auto server = co_await named(name);
    auto client =
        co_await create_connected_unix_datagram_socket(name, {.local_path = back});
    EXPECT_EQ(client.remote_address(), name);
    EXPECT_EQ(client.local_address(), back);
    EXPECT_EQ(extra<socket_attribute::remote_path>(client), name);
    EXPECT_EQ(extra<socket_attribute::family>(client), socket_family::unix_domain);
    co_await client.send("hello");
    const unix_datagram_packet packet = co_await server.receive();
    EXPECT_EQ(packet, unix_datagram_packet(bytes("hello"), back));
    co_await server.send(packet);
    const bytes answer = co_await client.receive();
    EXPECT_EQ(answer, as_bytes("hello"));
}

ANYIO_TEST(connected_unix_datagram_socket, waits_while_the_peer_has_no_room) {
    const unix_address name = own_name();
    auto server = co_await named(name);
    auto client = co_await create_connected_unix_datagram_socket(name);
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            for (int i = 0; i < more_than_fit; ++i)
                co_await client.send(describe(i));
        });
        co_await wait_all_tasks_blocked();
        for (int i = 0; i < more_than_fit; ++i) {
            const unix_datagram_packet packet = co_await server.receive(64);
            EXPECT_EQ(packet.data.str(), describe(i));
        }
    });
}

ANYIO_TEST(connected_unix_datagram_socket, is_told_that_its_peer_has_gone) {
    const unix_address name = own_name();
    std::optional<unix_datagram_socket> server;
    server.emplace(co_await named(name));
    auto client = co_await create_connected_unix_datagram_socket(name);
    server.reset();
    const auto sent = co_await as_outcome(client.send("x"));
    EXPECT_TRUE(is_error<broken_resource_error>(sent.error()));
    EXPECT_EQ(code_of(cause_of(sent.error())), std::errc::connection_refused);
}

ANYIO_TEST(connected_unix_datagram_socket, says_why_there_is_no_connection) {
    const temporary_folder folder;
    const std::string path = folder / "own";
    const auto nobody = co_await as_outcome(
        create_connected_unix_datagram_socket("/nowhere/at/all", {.local_path = path})
    );
    EXPECT_TRUE(is_error<connection_failed>(nobody.error()));
    EXPECT_EQ(
        message_of(nobody.error()),
        "connect unix datagram /nowhere/at/all: no such file or directory (ENOENT); is the "
        "server running?"
    );
    EXPECT_FALSE(std::filesystem::exists(path)) << "its own file is left";
    const auto unnamed =
        co_await as_outcome(create_connected_unix_datagram_socket(unix_address()));
    EXPECT_TRUE(is_error<usage_error>(unnamed.error()));
}

ANYIO_TEST(connected_unix_datagram_socket, is_made_of_one_end_of_a_pair) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    auto one = connected_unix_datagram_socket::from_fd(unique_fd(ends[0]));
    auto two = connected_unix_datagram_socket::from_fd(unique_fd(ends[1]));
    EXPECT_TRUE(one.remote_address().is_unnamed());
    std::string got;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const bytes data = co_await two.receive();
            got = data.str();
        });
        co_await wait_all_tasks_blocked();
        co_await one.send("hello");
    });
    EXPECT_EQ(got, "hello");
    co_await one.aclose();
    const auto ended = co_await as_outcome(two.send("x"));
    EXPECT_TRUE(is_error<broken_resource_error>(ended.error()));
}

ANYIO_TEST(unix_datagram_socket, from_fd_checks_what_it_is_given) {
    unique_fd stream(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    unique_fd udp(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    for (unique_fd* fd : {&stream, &udp}) {
        EXPECT_THROW(
            static_cast<void>(unix_datagram_socket::from_fd(std::move(*fd))),
            usage_error
        );
        EXPECT_TRUE(*fd);
    }
    unique_fd fits(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    EXPECT_THROW(
        static_cast<void>(connected_unix_datagram_socket::from_fd(std::move(fits))),
        usage_error
    );
    auto socket = unix_datagram_socket::from_fd(std::move(fits));
    EXPECT_FALSE(fits);
    EXPECT_TRUE(socket.local_address().is_unnamed());
    co_return;
}
