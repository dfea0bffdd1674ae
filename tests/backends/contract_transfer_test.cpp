// SPDX-License-Identifier: MIT
#include <anyio/backends/backend.hpp>
#include "backends/contract.hpp"

#include <algorithm>
#include <csignal>
#include <thread>

#include <sys/mman.h>

using namespace anyio;
using backends::descriptor;
using backends::request_code;

namespace {

/// Sends text with a descriptor, its own.
void send_with_descriptor(int fd, std::string_view text) {
    iovec piece{const_cast<char*>(text.data()), text.size()};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    *reinterpret_cast<int*>(CMSG_DATA(header)) = fd;
    EXPECT_GT(::sendmsg(fd, &message, MSG_NOSIGNAL), 0);
}

}  // namespace

TEST_P(contract, lends_a_buffer_to_who_has_none) {
    descriptor& socket = loop->attach(one);
    counted_request r(request_code::receive, socket, nullptr, 3);
    EXPECT_FALSE(loop->submit(r));
    EXPECT_EQ(r.data, nullptr);
    write("hello");
    finish(r);
    EXPECT_EQ(r.lent, "hel");
    counted_request rest(request_code::receive, socket, nullptr, 1'000'000);
    complete(rest);
    EXPECT_EQ(rest.lent, "lo");
    loop->close(socket);
}

TEST_P(contract, receives_what_there_is_if_more_than_4_gib_are_wanted) {
    descriptor& socket = loop->attach(one);
    write("hello");
    counted_request r = receive(socket);
    r.size = (std::size_t{1} << 32U) + 1;
    complete(r);
    EXPECT_EQ(r.result, 5);
    loop->close(socket);
}

TEST_P(contract, lends_to_more_than_there_are_buffers_for) {
    constexpr int count = 200;
    std::vector<descriptor*> sockets;
    std::vector<unique_fd> far;
    std::vector<counted_request> requests;
    requests.reserve(count);
    for (int i = 0; i < count; ++i) {
        std::array<int, 2> ends{};
        ASSERT_EQ(::socketpair(AF_UNIX, stream_type, 0, ends.data()), 0);
        sockets.push_back(&loop->attach(ends[0]));
        far.emplace_back(ends[1]);
        requests.emplace_back(request_code::receive, *sockets.back(), nullptr, 65536);
        EXPECT_FALSE(loop->submit(requests.back()));
    }
    look();
    for (int i = 0; i < count; ++i) {
        const std::string text = "message " + std::to_string(i);
        EXPECT_GT(
            ::write(far[static_cast<std::size_t>(i)].get(), text.data(), text.size()), 0
        );
    }
    for (int i = 0; i < count; ++i) {
        counted_request& r = requests[static_cast<std::size_t>(i)];
        finish(r);
        EXPECT_EQ(r.lent, "message " + std::to_string(i));
    }
    for (descriptor* socket : sockets)
        loop->close(*socket);
}

// A receive stops before urgent data, although more is there.
TEST_P(contract, receives_what_follows_urgent_data) {
    support::listening there;
    const unique_fd client = there.client();
    descriptor& socket = loop->attach(
        ::accept4(there.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC),
        backends::descriptor_kind::tcp
    );
    const auto send = [&](std::string_view text, int options) {
        ASSERT_GT(::send(client.get(), text.data(), text.size(), options), 0);
    };
    // With a receive that waits already, with none, and with one that comes in between.
    for (const int when : {0, 1, 2}) {
        std::string got;
        counted_request first = receive(socket);
        EXPECT_FALSE(loop->submit(first));
        look();
        if (when == 0) {
            send("begin", 0);
            finish(first);
            EXPECT_EQ(first.result, 5);
        }
        send("ab", 0);
        send("C", MSG_OOB);
        send("defgh", 0);
        if (when == 1)
            look();
        if (when != 0) {
            finish(first);
            got.append(buffer.data(), static_cast<std::size_t>(first.result));
        }
        while (got.size() < 7) {
            counted_request r = receive(socket);
            complete(r);
            ASSERT_GT(r.result, 0) << "after " << got;
            got.append(buffer.data(), static_cast<std::size_t>(r.result));
        }
        EXPECT_EQ(got, "abdefgh");
    }
    loop->close(socket);
    ::close(there.fd);
}

// So it does where descriptors were attached, whether anybody wants them or not.
TEST_P(contract, receives_what_follows_descriptors_that_nobody_asked_for) {
    descriptor& socket = loop->attach(one);
    for (const bool waits : {true, false}) {
        counted_request first = receive(socket);
        EXPECT_FALSE(loop->submit(first));
        look();
        if (!waits) {
            write("x");
            finish(first);
        }
        for (const std::string_view text : {"ab", "cd", "ef"}) {
            send_with_descriptor(two.get(), text);
            write("gh");
        }
        std::string got;
        if (waits) {
            finish(first);
            got.append(buffer.data(), static_cast<std::size_t>(first.result));
        }
        while (got.size() < 12) {
            counted_request r = receive(socket);
            complete(r);
            ASSERT_GT(r.result, 0) << "after " << got;
            got.append(buffer.data(), static_cast<std::size_t>(r.result));
        }
        EXPECT_EQ(got, "abghcdghefgh");
    }
    loop->close(socket);
}

TEST_P(contract, sends_as_much_as_there_is_room_for) {
    descriptor& socket = loop->attach(one);
    std::string much(8'000'000, 'x');
    counted_request r(request_code::send, socket, much.data(), much.size());
    complete(r);
    EXPECT_GT(r.result, 0);
    EXPECT_LT(r.result, 8'000'000);
    counted_request more(request_code::send, socket, much.data(), much.size());
    EXPECT_FALSE(loop->submit(more));
    look();
    EXPECT_EQ(more.completions, 0);
    std::string room(8'000'000, '\0');
    while (::recv(two.get(), room.data(), room.size(), MSG_DONTWAIT) > 0)
        continue;
    finish(more);
    EXPECT_GT(more.result, 0);
    loop->close(socket);
}

TEST_P(contract, passes_messages_with_descriptors) {
    descriptor& socket = loop->attach(one);
    std::array<char, 5> text{'h', 'e', 'l', 'l', 'o'};
    iovec piece{text.data(), text.size()};
    msghdr sent{};
    sent.msg_iov = &piece;
    sent.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    sent.msg_control = control.data();
    sent.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&sent);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    *reinterpret_cast<int*>(CMSG_DATA(header)) = two.get();
    counted_request out(request_code::send_message, socket, &sent);
    complete(out);
    EXPECT_EQ(out.result, 5);

    descriptor& far = loop->attach(two.release());
    iovec room{buffer.data(), buffer.size()};
    msghdr got{};
    got.msg_iov = &room;
    got.msg_iovlen = 1;
    got.msg_control = control.data();
    got.msg_controllen = control.size();
    counted_request in(request_code::receive_message, far, &got);
    complete(in);
    EXPECT_EQ(in.result, 5);
    ASSERT_NE(CMSG_FIRSTHDR(&got), nullptr);
    const unique_fd passed(*reinterpret_cast<int*>(CMSG_DATA(CMSG_FIRSTHDR(&got))));
    EXPECT_TRUE(::fcntl(passed.get(), F_GETFD) & FD_CLOEXEC);
    loop->close(socket);
    loop->close(far);
}

TEST_P(contract, sends_pieces_of_files_and_waits_for_room) {
    const unique_fd file(::memfd_create("file", MFD_CLOEXEC));
    std::string text(3'000'000, '\0');
    for (std::size_t i = 0; i < text.size(); ++i)
        text[i] = static_cast<char>(i * 2654435761u >> 13);
    ASSERT_EQ(::write(file.get(), text.data(), text.size()), 3'000'000);
    descriptor& socket = loop->attach(one);
    backends::file_piece piece{file.get(), 0};
    std::string got;
    std::string room(100'000, '\0');
    const auto read_all = [&] {
        ssize_t n = 0;
        while ((n = ::recv(two.get(), room.data(), room.size(), MSG_DONTWAIT)) > 0)
            got.append(room, 0, static_cast<std::size_t>(n));
    };
    bool waited = false;
    while (static_cast<std::size_t>(piece.offset) < text.size()) {
        counted_request r(
            request_code::send_file,
            socket,
            &piece,
            text.size() - static_cast<std::size_t>(piece.offset)
        );
        if (!loop->submit(r)) {
            waited = true;
            look();
            EXPECT_EQ(r.completions, 0);
            read_all();
            finish(r);
        }
        ASSERT_GT(r.result, 0);
        piece.offset += r.result;
    }
    read_all();
    EXPECT_TRUE(waited);
    EXPECT_EQ(got == text, true);
    two.reset();
    piece.offset = 0;
    counted_request late(request_code::send_file, socket, &piece, 100);
    complete(late);  // and no SIGPIPE
    EXPECT_EQ(late.result, -EPIPE);
    loop->close(socket);
}

TEST_P(contract, a_datagram_that_waited_for_room_goes_whole) {
    std::array<int, 2> ends{};
    ASSERT_EQ(
        ::socketpair(
            AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()
        ),
        0
    );
    descriptor& socket = loop->attach(ends[0]);
    const unique_fd far(ends[1]);
    std::string text = "datagram";
    const auto read_one = [&] {
        EXPECT_EQ(::recv(far.get(), buffer.data(), buffer.size(), 0), 8);
    };
    int unread = 0;
    for (bool waited = false; !waited;) {
        counted_request r(
            request_code::send_datagram, socket, text.data(), text.size()
        );
        waited = !loop->submit(r);
        if (waited) {
            look();
            EXPECT_EQ(r.completions, 0);
            for (; unread != 0; --unread)
                read_one();
            finish(r);
        }
        EXPECT_EQ(r.result, 8);
        ++unread;
    }
    read_one();
    loop->close(socket);
}

// The other side goes in the middle of a call, which then succeeds in part, and the system
// raises SIGPIPE all the same. Whether it does is a matter of luck, so there are many tries.
TEST_P(contract, a_peer_that_goes_while_a_file_is_sent_raises_no_signal) {
    const unique_fd file(::memfd_create("file", MFD_CLOEXEC));
    constexpr std::int64_t size = 1'000'000;
    ASSERT_EQ(::ftruncate(file.get(), size), 0);
    ::close(one);
    for (int i = 0; i < 300; ++i) {
        std::array<int, 2> ends{};
        ASSERT_EQ(::socketpair(AF_UNIX, stream_type, 0, ends.data()), 0);
        descriptor& socket = loop->attach(ends[0]);
        std::thread reader([far = unique_fd(ends[1]), i] {
            std::string room(100'000, '\0');
            for (int reads = 0; reads < i % 20; ++reads)
                if (::recv(far.get(), room.data(), room.size(), MSG_DONTWAIT) == 0)
                    return;
        });
        backends::file_piece piece{file.get(), 0};
        for (std::int64_t result = 0; result >= 0; piece.offset %= size) {
            counted_request r(request_code::send_file, socket, &piece, size);
            complete(r);
            result = r.result;
            piece.offset += std::max(result, std::int64_t{0});
        }
        reader.join();
        loop->close(socket);
    }
    sigset_t pending;
    ::sigpending(&pending);
    EXPECT_EQ(::sigismember(&pending, SIGPIPE), 0);
}
