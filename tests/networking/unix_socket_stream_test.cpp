// SPDX-License-Identifier: MIT
#include <anyio/networking/unix_socket_stream.hpp>

#include "networking/unix_connections.hpp"
#include "support/own_name.hpp"

#include <array>
#include <cstring>
#include <functional>
#include <optional>
#include <vector>

using namespace anyio;
using namespace std::chrono_literals;
using support::connected_unix_pair;
using support::file_with;
using support::pattern;
using support::socket_pair;
using support::temporary_folder;
using support::text_of;
using support::unix_pair;
using ::testing::HasSubstr;
using ::testing::SizeIs;

static_assert(!std::is_copy_constructible_v<unix_socket_stream>);
static_assert(std::is_nothrow_move_constructible_v<unix_socket_stream>);
static_assert(byte_stream<unix_socket_stream>);

namespace {

/// `count` files, each of which holds its number.
std::vector<unique_fd> files(std::size_t count) {
    std::vector<unique_fd> made;
    for (std::size_t i = 0; i < count; ++i)
        made.push_back(file_with(std::to_string(i)));
    return made;
}

std::vector<int> numbers_of(const std::vector<unique_fd>& fds) {
    std::vector<int> numbers;
    for (const unique_fd& fd : fds)
        numbers.push_back(fd.get());
    return numbers;
}

/// Sends descriptors here and now, where a backend may take its time.
void send_at_once(const unix_socket_stream& stream, const std::vector<int>& fds) {
    alignas(cmsghdr) std::array<std::byte, 64> control{};
    char byte = 'x';
    iovec piece{&byte, 1};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* const first = CMSG_FIRSTHDR(&message);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(first), fds.data(), fds.size() * sizeof(int));
    EXPECT_EQ(::sendmsg(stream.native_handle(), &message, 0), 1);
}

bool is_close_on_exec(const unique_fd& fd) {
    return (::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0;
}

}  // namespace

// The end of each test finds descriptors that were leaked.

ANYIO_TEST(unix_socket_stream, knows_where_both_sides_are) {
    const temporary_folder folder;
    const unix_address at(folder.file("socket"));
    auto listener = co_await create_unix_listener(at);
    auto client = co_await connect_unix(at);
    auto server = co_await listener.accept();
    EXPECT_EQ(client.remote_address(), at);
    EXPECT_TRUE(client.local_address().is_unnamed());
    EXPECT_EQ(server.local_address(), at);
    EXPECT_TRUE(server.remote_address().is_unnamed());
    EXPECT_EQ(extra<socket_attribute::remote_path>(client), at);
    EXPECT_EQ(extra<socket_attribute::local_path>(server), at);
    EXPECT_EQ(extra<socket_attribute::family>(client), socket_family::unix_domain);
    EXPECT_EQ(extra<socket_attribute::raw_socket>(client), client.native_handle());
    co_await server.aclose();
    EXPECT_EQ(client.remote_address(), at);  // although the peer is gone
    co_await client.aclose();
    EXPECT_THROW((void)client.local_address(), closed_resource_error);
    EXPECT_EQ(
        message_thrown_by<closed_resource_error>([&] { (void)client.remote_address(); }
        ),
        "remote_address of unix_socket_stream: the stream is closed"
    );
}

ANYIO_TEST(unix_socket_stream, knows_whose_process_the_peer_is) {
    const unix_pair pair = connected_unix_pair();
    const process_credentials peer = pair.client.peer_credentials();
    EXPECT_EQ(peer.pid, ::getpid());
    EXPECT_EQ(peer.uid, ::geteuid());
    EXPECT_EQ(peer.gid, ::getegid());
    co_return;
}

ANYIO_TEST(unix_socket_stream, of_a_closed_stream_nobody_is_the_peer) {
    unix_pair pair = connected_unix_pair();
    co_await pair.client.aclose();
    EXPECT_THROW((void)pair.client.peer_credentials(), closed_resource_error);
}

ANYIO_TEST(unix_socket_stream, errors_say_which_stream_it_was) {
    const temporary_folder folder;
    const std::string path = folder.file("socket");
    auto listener = co_await create_unix_listener(path);
    auto client = co_await connect_unix(path);
    auto server = co_await listener.accept();
    const auto none = co_await as_outcome(client.receive(0));
    EXPECT_EQ(
        message_of(none.error()),
        "receive on unix_socket_stream unnamed ← " + path +
            ": no room; ask for at least one byte"
    );
    co_await server.aclose();
    const auto end = co_await as_outcome(client.receive());
    EXPECT_TRUE(is_error<end_of_stream>(end.error()));
    EXPECT_EQ(message_of(end.error()), "receive on unix_socket_stream: end of stream");
    const auto sent = co_await as_outcome(client.send("x"));
    EXPECT_EQ(
        message_of(sent.error()),
        "send on unix_socket_stream unnamed → " + path + ": broken pipe (EPIPE)"
    );
    co_await client.aclose();
    const auto after = co_await as_outcome(client.send_eof());
    EXPECT_EQ(
        message_of(after.error()),
        "send_eof on unix_socket_stream: the stream is closed, or was moved from"
    );
}

// --- descriptors ------------------------------------------------------------------------

ANYIO_TEST(unix_socket_stream, passes_descriptors_with_a_message) {
    unix_pair pair = connected_unix_pair();
    std::vector<unique_fd> sent = files(3);
    const std::vector<int> fds = numbers_of(sent);
    co_await pair.client.send_fds("here they are", fds);
    sent.clear();  // the peer has its own
    auto [data, got, truncated] = co_await pair.server.receive_fds(100, 10);
    EXPECT_EQ(data, as_bytes("here they are"));
    EXPECT_FALSE(truncated);
    EXPECT_THAT(got, SizeIs(3));
    for (std::size_t i = 0; i < got.size(); ++i) {
        EXPECT_EQ(text_of(got[i].get()), std::to_string(i));
        EXPECT_TRUE(is_close_on_exec(got[i]));
    }
}

ANYIO_TEST(unix_socket_stream, waits_for_descriptors) {
    unix_pair pair = connected_unix_pair();
    received_fds got;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            got = co_await pair.server.receive_fds(100, 1);
        });
        co_await wait_all_tasks_blocked();
        const auto nothing =
            co_await move_on_after(1ms, pair.client.receive_fds(100, 1));
        EXPECT_FALSE(nothing);
        const std::vector<unique_fd> sent = files(1);
        const std::vector<int> fds = numbers_of(sent);
        co_await pair.client.send_fds("x", fds);
    });
    EXPECT_EQ(got.data, as_bytes("x"));
    EXPECT_THAT(got.fds, SizeIs(1));
}

ANYIO_TEST(unix_socket_stream, keeps_the_bytes_of_two_sends_of_descriptors_apart) {
    unix_pair pair = connected_unix_pair();
    const std::vector<unique_fd> sent = files(2);
    const std::vector<int> fds = numbers_of(sent);
    co_await pair.client.send_fds("first", std::span(fds).first(1));
    co_await pair.client.send_fds("second", std::span(fds).last(1));
    co_await pair.client.send("third");
    auto first = co_await pair.server.receive_fds(100, 10);
    auto second = co_await pair.server.receive_fds(100, 10);
    EXPECT_EQ(first.data, as_bytes("first"));
    ANYIO_REQUIRE(first.fds.size() == 1);
    EXPECT_EQ(text_of(first.fds[0].get()), "0");
    // What has no descriptors of its own may come along.
    EXPECT_TRUE(second.data.str().starts_with("second")) << second.data.str();
    ANYIO_REQUIRE(second.fds.size() == 1);
    EXPECT_EQ(text_of(second.fds[0].get()), "1");
}

ANYIO_TEST(unix_socket_stream, sends_the_descriptors_of_a_long_message_once) {
    unix_pair pair = connected_unix_pair();
    support::use_small_buffers(pair);
    const std::string text = pattern(2'000'000);
    const std::vector<unique_fd> sent = files(2);
    std::string got;
    std::size_t fds_got = 0;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const std::vector<int> fds = numbers_of(sent);
            co_await pair.client.send_fds(text, fds);
            co_await pair.client.send_eof();
        });
        co_await wait_all_tasks_blocked();
        for (;;) {
            auto part = co_await as_outcome(pair.server.receive_fds(10000, 10));
            if (part.error()) {
                EXPECT_TRUE(is_error<end_of_stream>(part.error()));
                EXPECT_EQ(
                    message_of(part.error()),
                    "receive_fds on unix_socket_stream: end of stream"
                );
                break;
            }
            const received_fds value = std::move(part).value();
            got += value.data.str();
            fds_got += value.fds.size();
        }
    });
    EXPECT_TRUE(got == text);
    EXPECT_EQ(fds_got, 2u);
}

ANYIO_TEST(unix_socket_stream, passes_as_many_as_the_system_allows) {
    unix_pair pair = connected_unix_pair();
    const unique_fd file = file_with("x");
    const std::vector<int> fds(253, file.get());
    co_await pair.client.send_fds("x", fds);
    auto got = co_await pair.server.receive_fds(1, 253);
    EXPECT_THAT(got.fds, SizeIs(253));
    EXPECT_FALSE(got.truncated);
}

ANYIO_TEST(unix_socket_stream, closes_descriptors_that_nobody_asked_for) {
    unix_pair pair = connected_unix_pair();
    const std::vector<unique_fd> sent = files(5);
    const std::vector<int> fds = numbers_of(sent);
    for (const std::size_t room : {1u, 2u, 3u, 4u}) {
        co_await pair.client.send_fds("message", fds);
        auto got = co_await pair.server.receive_fds(100, room);
        EXPECT_EQ(got.data, as_bytes("message"));
        EXPECT_TRUE(got.truncated);
        EXPECT_THAT(got.fds, SizeIs(room));
    }
    // By receive() they are all closed; the bytes come.
    co_await pair.client.send_fds("message", fds);
    const bytes plain = co_await pair.server.receive();
    EXPECT_EQ(plain, as_bytes("message"));
    // So are those that nobody receives.
    co_await pair.client.send_fds("message", fds);
}

ANYIO_TEST(unix_socket_stream, without_room_for_descriptors_still_gets_the_bytes) {
    unix_pair pair = connected_unix_pair();
    const std::vector<unique_fd> sent = files(2);
    const std::vector<int> fds = numbers_of(sent);
    co_await pair.client.send_fds("message", fds);
    received_fds got;
    {
        const support::no_more_descriptors limit;
        got = co_await pair.server.receive_fds(100, 2);
    }
    EXPECT_EQ(got.data, as_bytes("message"));
    EXPECT_TRUE(got.truncated);
    EXPECT_THAT(got.fds, SizeIs(0));
}

ANYIO_TEST(unix_socket_stream, bytes_without_descriptors_are_received_all_the_same) {
    unix_pair pair = connected_unix_pair();
    co_await pair.client.send("only bytes");
    auto got = co_await pair.server.receive_fds(4, 1);
    EXPECT_EQ(got.data, as_bytes("only"));
    EXPECT_THAT(got.fds, SizeIs(0));
    EXPECT_FALSE(got.truncated);
    const bytes rest = co_await pair.server.receive();
    EXPECT_EQ(rest, as_bytes(" bytes"));
}

ANYIO_TEST(unix_socket_stream, refuses_what_cannot_be_passed_and_stays_as_it_was) {
    unix_pair pair = connected_unix_pair();
    const unique_fd file = file_with("x");
    const std::vector<int> one(1, file.get());
    const std::vector<int> many(254, file.get());
    const std::vector<int> closed(1, 1'000'000);
    const auto no_bytes = co_await as_outcome(pair.client.send_fds("", one));
    EXPECT_TRUE(is_error<usage_error>(no_bytes.error()));
    EXPECT_THAT(message_of(no_bytes.error()), HasSubstr(": no bytes; descriptors go"));
    const auto no_fds = co_await as_outcome(pair.client.send_fds("x", {}));
    EXPECT_TRUE(is_error<usage_error>(no_fds.error()));
    const auto too_many = co_await as_outcome(pair.client.send_fds("x", many));
    EXPECT_THAT(
        message_of(too_many.error()), HasSubstr(": 254 descriptors; send 1 to 253")
    );
    const auto bad = co_await as_outcome(pair.client.send_fds("x", closed));
    EXPECT_EQ(
        message_of(bad.error()),
        "send_fds on unix_socket_stream unnamed → unnamed: bad file descriptor (EBADF)"
    );
    EXPECT_TRUE(is_error<os_error>(bad.error()));
    const auto no_room = co_await as_outcome(pair.client.receive_fds(0, 1));
    EXPECT_TRUE(is_error<usage_error>(no_room.error()));
    const auto no_fd_room = co_await as_outcome(pair.client.receive_fds(1, 0));
    EXPECT_THAT(
        message_of(no_fd_room.error()),
        HasSubstr(": room for 0 descriptors; ask for 1 to 253")
    );
    co_await pair.client.send("as before");
    const bytes got = co_await pair.server.receive();
    EXPECT_EQ(got, as_bytes("as before"));
}

ANYIO_TEST(unix_socket_stream, cancelled_before_it_receives_descriptors_loses_none) {
    unix_pair pair = connected_unix_pair();
    const std::vector<unique_fd> sent = files(1);
    const std::vector<int> fds = numbers_of(sent);
    cancel_scope scope;
    scope.cancel();
    co_await with(scope, [&]() -> task<> { co_await pair.client.send_fds("no", fds); });
    co_await pair.client.send_fds("yes", fds);
    cancel_scope another;
    another.cancel();
    co_await with(another, [&]() -> task<> {
        co_await pair.server.receive_fds(100, 1);
        ADD_FAILURE() << "received";
    });
    auto got = co_await pair.server.receive_fds(100, 1);
    EXPECT_EQ(got.data, as_bytes("yes"));
    EXPECT_THAT(got.fds, SizeIs(1));
}

// Both complete in one look at the system: the first task cancels the second, which has
// its descriptors already, and owns them (rule K2).
ANYIO_TEST(unix_socket_stream, cancelled_in_the_pass_of_the_descriptors_returns_them) {
    unix_pair first = connected_unix_pair();
    unix_pair second = connected_unix_pair();
    const std::vector<unique_fd> sent = files(2);
    std::size_t got = 0;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        std::array<cancel_scope, 2> scopes;
        const auto read = [&](unix_socket_stream& stream, std::size_t self) -> task<> {
            co_await with(scopes[self], [&]() -> task<> {
                const received_fds part = co_await stream.receive_fds(100, 2);
                got += part.fds.size();
                scopes[1 - self].cancel();
                co_await lowlevel::checkpoint();
                ADD_FAILURE() << "not cancelled";
            });
        };
        auto one = group.create_task(read, std::ref(first.server), std::size_t{0});
        auto two = group.create_task(read, std::ref(second.server), std::size_t{1});
        co_await wait_all_tasks_blocked();
        const std::vector<int> fds = numbers_of(sent);
        send_at_once(first.client, fds);
        send_at_once(second.client, fds);
        co_await one.wait();
        co_await two.wait();
    });
    EXPECT_EQ(got, 4u);
}

ANYIO_TEST(unix_socket_stream, closed_by_another_task_ends_who_passes_descriptors) {
    unix_pair pair = connected_unix_pair();
    support::use_small_buffers(pair);
    const std::string text = pattern(2'000'000);
    const std::vector<unique_fd> sent = files(1);
    const std::vector<int> fds = numbers_of(sent);
    outcome<received_fds> received;
    outcome<void> sending;
    outcome<received_fds> second;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon({.name = "reader"}, [&]() -> task<> {
            received = co_await as_outcome(pair.client.receive_fds(100, 1));
        });
        group.start_soon([&]() -> task<> {
            sending = co_await as_outcome(pair.client.send_fds(text, fds));
        });
        co_await wait_all_tasks_blocked();
        second = co_await as_outcome(pair.client.receive_fds(100, 1));
        co_await pair.client.aclose();
    });
    EXPECT_THAT(
        message_of(second.error()),
        HasSubstr("another task is already receiving: \"reader\"")
    );
    EXPECT_TRUE(is_error<closed_resource_error>(received.error()));
    EXPECT_THAT(
        message_of(received.error()), HasSubstr("receive_fds on unix_socket_stream")
    );
    EXPECT_TRUE(is_error<closed_resource_error>(sending.error()));
}

ANYIO_TEST(unix_socket_stream, moved_while_it_waits_goes_on) {
    std::optional<unix_pair> pair(connected_unix_pair());
    std::string got;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            const received_fds part = co_await pair->server.receive_fds(100, 1);
            got = part.data.str();
        });
        co_await wait_all_tasks_blocked();
        unix_socket_stream moved = std::move(pair->server);
        EXPECT_TRUE(pair->server.is_closed());
        co_await pair->client.send("still here");
        co_await wait_all_tasks_blocked();
    });
    EXPECT_EQ(got, "still here");
}

// --- made of a descriptor ---------------------------------------------------------------

namespace {

std::string why_not(unique_fd& fd) {
    return message_thrown_by<usage_error>([&] {
        (void)unix_socket_stream::from_fd(std::move(fd));
    });
}

}  // namespace

ANYIO_TEST(unix_socket_stream, is_made_of_any_end_of_a_socketpair) {
    auto [one, two] = socket_pair();
    const int number = one.get();
    auto stream = unix_socket_stream::from_fd(std::move(one));
    EXPECT_FALSE(one);
    EXPECT_EQ(stream.native_handle(), number);
    EXPECT_NE(::fcntl(number, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(::write(two.get(), "blocking", 8), 8);
    const bytes got = co_await stream.receive();
    EXPECT_EQ(got, as_bytes("blocking"));
}

ANYIO_TEST(unix_socket_stream, is_made_of_a_connection_that_the_peer_has_ended) {
    auto [one, two] = socket_pair();
    EXPECT_EQ(::write(two.get(), "last", 4), 4);
    two.reset();
    auto stream = unix_socket_stream::from_fd(std::move(one));
    const std::string got = co_await support::all_of(stream);
    EXPECT_EQ(got, "last");
}

ANYIO_TEST(unix_socket_stream, is_not_made_of_anything_else) {
    unique_fd file = file_with("");
    const int number = file.get();
    EXPECT_EQ(
        why_not(file),
        describe(
            "unix_socket_stream::from_fd fd ", number, ": it is no socket (ENOTSOCK)"
        )
    );
    EXPECT_EQ(file.get(), number);  // still the caller's

    auto [datagrams, others] = socket_pair(AF_UNIX, SOCK_DGRAM);
    EXPECT_THAT(
        why_not(datagrams), HasSubstr(": the socket is not of type SOCK_STREAM")
    );
    EXPECT_TRUE(datagrams);

    unique_fd tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_THAT(why_not(tcp), HasSubstr(": the socket is not of family AF_UNIX"));
    EXPECT_EQ(::fcntl(tcp.get(), F_GETFL) & O_NONBLOCK, 0);  // as it was

    unique_fd alone(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_THAT(why_not(alone), HasSubstr(": the socket is not connected (ENOTCONN)"));

    auto listener = co_await create_unix_listener(support::own_name("1"));
    unique_fd listening(::dup(extra<socket_attribute::raw_socket>(listener)));
    EXPECT_THAT(
        why_not(listening), HasSubstr(": the socket listens; a listener takes")
    );

    unique_fd none;
    EXPECT_EQ(
        message_thrown_by<os_error>([&] {
            (void)unix_socket_stream::from_fd(std::move(none));
        }),
        "unix_socket_stream::from_fd fd -1: bad file descriptor (EBADF)"
    );
}

TEST(unix_socket_stream, is_not_made_outside_of_a_run) {
    auto [one, two] = socket_pair();
    EXPECT_THROW(
        (void)unix_socket_stream::from_fd(std::move(one)), no_event_loop_error
    );
    EXPECT_TRUE(one);
}

ANYIO_TEST(unix_socket_stream, receives_descriptors_without_a_limit_of_bytes) {
    auto pair = connected_unix_pair();
    const unique_fd file = support::file_with("x");
    const std::vector<int> fds{file.get()};
    co_await pair.client.send_fds("hello", fds);
    const received_fds got =
        co_await pair.server.receive_fds(static_cast<std::size_t>(-1), 1);
    EXPECT_EQ(got.data, as_bytes("hello"));
    EXPECT_EQ(got.fds.size(), 1U);
}

ANYIO_TEST(unix_socket_stream, pieces_may_come_together_with_those_of_descriptors) {
    auto pair = connected_unix_pair();
    const unique_fd file = support::file_with("x");
    const std::vector<int> fds{file.get()};
    co_await pair.client.send("ab");
    co_await pair.client.send_fds("cdef", fds);
    co_await pair.client.send_fds("gh", fds);
    const received_fds first = co_await pair.server.receive_fds(4, 1);
    EXPECT_EQ(first.data, as_bytes("abcd"));
    EXPECT_EQ(first.fds.size(), 1U);
    const received_fds second = co_await pair.server.receive_fds(100, 1);
    EXPECT_EQ(second.data, as_bytes("efgh"));
    EXPECT_EQ(second.fds.size(), 1U);
}

ANYIO_TEST(unix_socket_stream, comes_in_pairs_too) {
    auto [one, two] = create_unix_socket_pair();
    co_await one.send("hello");
    co_await one.send_eof();
    const bytes got = co_await two.receive();
    EXPECT_EQ(got, as_bytes("hello"));
    co_await two.send("answer");
    const bytes answer = co_await one.receive();
    EXPECT_EQ(answer, as_bytes("answer"));
    EXPECT_EQ(two.peer_credentials().pid, ::getpid());
}

ANYIO_TEST(unix_socket_stream, a_pair_without_descriptors_is_an_error) {
    const support::no_more_descriptors none;
    EXPECT_THAT(
        message_thrown_by<os_error>([] { static_cast<void>(create_unix_socket_pair()); }
        ),
        ::testing::HasSubstr("socketpair unix: too many open files (EMFILE)")
    );
    co_return;
}

// What no receive has asked for is not in the way of what follows.
ANYIO_TEST(
    unix_socket_stream, receives_what_follows_descriptors_that_nobody_asked_for
) {
    auto pair = connected_unix_pair();
    const unique_fd file = support::file_with("x");
    const std::vector<int> fds{file.get()};
    std::string got;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            while (got.size() < 8) {
                const bytes part = co_await pair.server.receive();
                got += part.str();
            }
        });
        co_await wait_all_tasks_blocked();
        co_await pair.client.send_fds("ab", fds);
        co_await pair.client.send("cd");
        co_await pair.client.send_fds("ef", fds);
        co_await pair.client.send("gh");
    });
    EXPECT_EQ(got, "abcdefgh");
}
