// SPDX-License-Identifier: MIT
#include <anyio/backends/backend.hpp>
#include <anyio/backends/registry.hpp>
#include <anyio/base/unique_fd.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace anyio;
using namespace std::chrono_literals;
using backends::backend;
using backends::cancel_result;
using backends::descriptor;
using backends::request;
using backends::request_code;

namespace {

/// A request that counts its completions, and keeps what was lent.
struct counted_request : request {
    counted_request(
        request_code what, descriptor& on, void* at = nullptr, std::size_t n = 0
    )
        : request(what, &count, at, n), lends(at == nullptr) {
        target = &on;
    }

    static void count(request& r) noexcept {
        auto& self = static_cast<counted_request&>(r);
        ++self.completions;
        if (self.code == request_code::receive && self.lends && r.result > 0)
            self.lent.assign(
                static_cast<const char*>(r.data), static_cast<std::size_t>(r.result)
            );
    }

    bool lends;
    int completions = 0;
    std::string lent;
};

/// What every backend promises in backend.hpp, whether it completes operations itself or
/// tries them when the system says that they are ready.
class contract : public ::testing::TestWithParam<std::string> {
protected:
    contract() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, stream_type, 0, ends.data()), 0);
        one = ends[0];
        two = unique_fd(ends[1]);
    }

    static constexpr int stream_type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

    void write(std::string_view text) const {
        EXPECT_EQ(
            ::write(two.get(), text.data(), text.size()),
            static_cast<ssize_t>(text.size())
        );
    }

    [[nodiscard]] counted_request receive(descriptor& from) {
        return {request_code::receive, from, buffer.data(), buffer.size()};
    }

    /// Waits for what was submitted, a second at most.
    void finish(counted_request& r) const {
        for (int i = 0; i < 100 && r.completions == 0; ++i)
            loop->wait(10ms);
        EXPECT_EQ(r.completions, 1);
    }

    /// Submits and waits; true if it was complete at once.
    bool complete(counted_request& r) const {
        const bool at_once = loop->submit(r);
        if (at_once)
            counted_request::count(r);
        finish(r);
        return at_once;
    }

    /// Cancels, and waits for the end if the backend answers "pending".
    void cancel(counted_request& r) const {
        if (loop->cancel(r) == cancel_result::pending) {
            finish(r);
            EXPECT_EQ(r.result, -ECANCELED);
            EXPECT_FALSE(r.closed);
        } else {
            EXPECT_EQ(r.completions, 0);
        }
    }

    /// Looks at what has happened, without waiting.
    void look() const {
        for (int i = 0; i < 3; ++i)
            loop->wait(0s);
    }

    std::unique_ptr<backend> loop = backends::make_backend(GetParam());
    int one = -1;  // for the backend
    unique_fd two;
    std::array<char, 100> buffer{};
};

/// A listening socket on 127.0.0.1, and its address.
struct listening {
    listening() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        const int on = 1;
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(fd, generic(), size), 0);
        EXPECT_EQ(::listen(fd, 1024), 0);
        EXPECT_EQ(::getsockname(fd, generic(), &size), 0);
    }

    [[nodiscard]] sockaddr* generic() { return reinterpret_cast<sockaddr*>(&address); }

    [[nodiscard]] unique_fd client() {
        unique_fd made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        EXPECT_EQ(::connect(made.get(), generic(), size), 0);
        return made;
    }

    int fd;
    sockaddr_in address{};
    socklen_t size = sizeof(address);
};

std::string name_of_parameter(const ::testing::TestParamInfo<std::string>& info) {
    return info.param;
}

INSTANTIATE_TEST_SUITE_P(
    backends, contract, ::testing::ValuesIn(get_available_backends()), name_of_parameter
);

}  // namespace

TEST_P(contract, receives_what_is_there_and_what_comes_later) {
    descriptor& socket = loop->attach(one);
    write("hello");
    counted_request first = receive(socket);
    complete(first);
    EXPECT_EQ(first.result, 5);

    counted_request second = receive(socket);
    EXPECT_FALSE(loop->submit(second));
    EXPECT_EQ(socket.reader, &second);
    EXPECT_EQ(loop->pending(), 1u);
    look();
    EXPECT_EQ(second.completions, 0);
    write("again");
    finish(second);
    EXPECT_EQ(second.result, 5);
    EXPECT_EQ(std::string_view(buffer.data(), 5), "again");
    EXPECT_EQ(socket.reader, nullptr);
    EXPECT_EQ(loop->pending(), 0u);
    loop->close(socket);
}

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

TEST_P(contract, a_cancelled_receive_has_taken_nothing) {
    descriptor& socket = loop->attach(one);
    for (const bool begun : {false, true}) {
        counted_request r = receive(socket);
        EXPECT_FALSE(loop->submit(r));
        if (begun)
            look();
        cancel(r);
        EXPECT_EQ(loop->pending(), 0u);
        write("hello");
        look();
        counted_request again = receive(socket);
        complete(again);
        EXPECT_EQ(again.result, 5);
    }
    loop->close(socket);
}

TEST_P(contract, a_cancel_that_comes_too_late_leaves_the_result) {
    descriptor& socket = loop->attach(one);
    counted_request r = receive(socket);
    EXPECT_FALSE(loop->submit(r));
    look();
    write("hello");
    if (loop->cancel(r) == cancel_result::pending) {
        finish(r);
        if (r.result == -ECANCELED) {
            counted_request again = receive(socket);
            complete(again);
            EXPECT_EQ(again.result, 5);
        } else {
            EXPECT_EQ(r.result, 5);
        }
    }
    loop->close(socket);
}

TEST_P(contract, refuses_a_second_request_of_one_direction) {
    descriptor& socket = loop->attach(one);
    counted_request first = receive(socket);
    counted_request second = receive(socket);
    EXPECT_FALSE(loop->submit(first));
    EXPECT_TRUE(loop->submit(second));
    EXPECT_EQ(second.result, -EBUSY);
    loop->close(socket);
    finish(first);
    EXPECT_EQ(first.result, -ECANCELED);
    EXPECT_TRUE(first.closed);
}

TEST_P(contract, closing_ends_both_directions) {
    descriptor& socket = loop->attach(one);
    std::string much(4'000'000, 'x');
    while (::send(one, much.data(), much.size(), MSG_DONTWAIT) > 0)
        continue;
    counted_request reading = receive(socket);
    counted_request writing(request_code::send, socket, much.data(), much.size());
    EXPECT_FALSE(loop->submit(reading));
    EXPECT_FALSE(loop->submit(writing));
    look();
    EXPECT_EQ(loop->pending(), 2u);
    loop->close(socket);
    finish(reading);
    finish(writing);
    EXPECT_TRUE(reading.closed);
    EXPECT_TRUE(writing.closed);
    EXPECT_EQ(reading.result, -ECANCELED);
    EXPECT_EQ(writing.result, -ECANCELED);
    EXPECT_EQ(loop->pending(), 0u);
    EXPECT_EQ(::fcntl(one, F_GETFD), -1);
}

TEST_P(contract, gives_a_descriptor_back_open) {
    descriptor& socket = loop->attach(one);
    counted_request r = receive(socket);
    EXPECT_FALSE(loop->submit(r));
    const unique_fd back(loop->release(socket));
    EXPECT_EQ(back.get(), one);
    finish(r);
    EXPECT_TRUE(r.closed);
    EXPECT_GE(::fcntl(one, F_GETFD), 0);
    write("hello");
    look();
    EXPECT_EQ(r.completions, 1);
    EXPECT_EQ(::read(one, buffer.data(), buffer.size()), 5);
}

TEST_P(contract, reports_the_end_that_came_with_the_last_data) {
    descriptor& socket = loop->attach(one);
    counted_request first = receive(socket);
    EXPECT_FALSE(loop->submit(first));
    look();
    write("last");
    two.reset();
    finish(first);
    EXPECT_EQ(first.result, 4);
    for (int i = 0; i < 2; ++i) {
        counted_request end = receive(socket);
        complete(end);
        EXPECT_EQ(end.result, 0);
    }
    loop->close(socket);
}

TEST_P(contract, a_completed_request_may_be_submitted_again_at_once) {
    descriptor& socket = loop->attach(one);
    counted_request r = receive(socket);
    r.completed = [](request& self) noexcept {
        auto& counted = static_cast<counted_request&>(self);
        if (++counted.completions < 2) {
            EXPECT_FALSE(self.target->owner->submit(self));
        }
    };
    EXPECT_FALSE(loop->submit(r));
    write("a");
    finish(r);
    EXPECT_EQ(loop->pending(), 1u);
    write("b");
    loop->wait(forever);
    EXPECT_EQ(r.completions, 2);
    EXPECT_EQ(buffer[0], 'b');
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

TEST_P(contract, reports_what_went_wrong_as_minus_errno) {
    descriptor& socket = loop->attach(one);
    two.reset();
    char byte = 'x';
    counted_request r(request_code::send, socket, &byte, 1);
    complete(r);  // and no SIGPIPE
    EXPECT_EQ(r.result, -EPIPE);
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

TEST_P(contract, polls_level_triggered) {
    descriptor& socket = loop->attach(one);
    for (int i = 0; i < 3; ++i) {
        counted_request r(request_code::poll_readable, socket);
        EXPECT_FALSE(loop->submit(r));
        write("ab");
        finish(r);
        EXPECT_EQ(r.result, 0);
        char byte = 0;
        EXPECT_EQ(::read(one, &byte, 1), 1);
        counted_request more(request_code::poll_readable, socket);
        complete(more);
        EXPECT_EQ(more.result, 0);
        EXPECT_EQ(::read(one, &byte, 1), 1);
    }
    counted_request room(request_code::poll_writable, socket);
    complete(room);
    EXPECT_EQ(room.result, 0);
    loop->close(socket);
}

TEST_P(contract, connects_and_accepts) {
    listening there;
    descriptor& listener = loop->attach(there.fd);
    counted_request accepting(request_code::accept, listener);
    EXPECT_FALSE(loop->submit(accepting));
    descriptor& socket =
        loop->attach(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    counted_request connecting(
        request_code::connect, socket, &there.address, there.size
    );
    complete(connecting);
    EXPECT_EQ(connecting.result, 0);
    finish(accepting);
    ASSERT_GE(accepting.result, 0);
    const unique_fd accepted(static_cast<int>(accepting.result));
    EXPECT_TRUE(::fcntl(accepted.get(), F_GETFD) & FD_CLOEXEC);
    EXPECT_TRUE(::fcntl(accepted.get(), F_GETFL) & O_NONBLOCK);
    loop->close(listener);
    counted_request refused(request_code::connect, socket, &there.address, there.size);
    complete(refused);
    EXPECT_EQ(refused.result, -EISCONN);
    loop->close(socket);
}

TEST_P(contract, a_refused_connection_says_so) {
    sockaddr_in address{};
    {
        listening gone;
        address = gone.address;
        ::close(gone.fd);
    }
    descriptor& socket =
        loop->attach(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    counted_request r(request_code::connect, socket, &address, sizeof(address));
    complete(r);
    EXPECT_EQ(r.result, -ECONNREFUSED);
    loop->close(socket);
}

TEST_P(contract, no_connection_of_a_crowd_is_lost) {
    listening there;
    descriptor& listener = loop->attach(there.fd);
    constexpr std::size_t count = 300;
    std::vector<unique_fd> clients;
    std::vector<unique_fd> accepted;
    const auto accept_one = [&] {
        counted_request r(request_code::accept, listener);
        complete(r);
        ASSERT_GE(r.result, 0);
        accepted.emplace_back(static_cast<int>(r.result));
    };
    // First one alone, so that what accepts is armed, then a crowd, then nobody for a while.
    for (const std::size_t crowd : {std::size_t{1}, count}) {
        for (std::size_t i = 0; i < crowd; ++i)
            clients.push_back(there.client());
        look();
        for (std::size_t i = 0; i < crowd; ++i)
            accept_one();
    }
    EXPECT_EQ(accepted.size(), count + 1);
    counted_request none(request_code::accept, listener);
    EXPECT_FALSE(loop->submit(none));
    look();
    EXPECT_EQ(none.completions, 0);
    cancel(none);
    loop->close(listener);
}

TEST_P(contract, closing_a_listener_frees_its_port_and_its_connections) {
    listening there;
    descriptor& listener = loop->attach(there.fd);
    counted_request first(request_code::accept, listener);
    const unique_fd client = there.client();
    complete(first);
    const unique_fd accepted(static_cast<int>(first.result));
    counted_request second(request_code::accept, listener);
    EXPECT_FALSE(loop->submit(second));
    look();
    const unique_fd unasked = there.client();
    cancel(second);
    const unique_fd never_asked = there.client();
    look();
    loop->close(listener);
    look();
    for (const unique_fd* waiting : {&unasked, &never_asked}) {
        char byte = 0;
        EXPECT_LE(::recv(waiting->get(), &byte, 1, 0), 0);
    }
    const unique_fd again(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(again.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    EXPECT_EQ(::bind(again.get(), there.generic(), there.size), 0);
    EXPECT_EQ(::listen(again.get(), 1), 0) << "the port is still in use";
}

TEST_P(contract, descriptors_may_outlive_the_backend) {
    descriptor& kept = loop->attach(one);
    const unique_fd other(::fcntl(two.get(), F_DUPFD_CLOEXEC, 0));
    descriptor& released = loop->attach(other.get());
    listening there;
    descriptor& listener = loop->attach(there.fd);
    counted_request accepting(request_code::accept, listener);
    EXPECT_FALSE(loop->submit(accepting));
    look();
    cancel(accepting);
    const unique_fd client = there.client();
    loop.reset();
    counted_request r = receive(kept);
    EXPECT_TRUE(kept.owner->submit(r));
    EXPECT_TRUE(r.closed);
    EXPECT_EQ(released.owner->release(released), other.get());
    kept.owner->close(kept);
    listener.owner->close(listener);
    EXPECT_EQ(::fcntl(one, F_GETFD), -1);
    EXPECT_EQ(::fcntl(there.fd, F_GETFD), -1);
}

TEST_P(contract, is_woken_from_other_threads) {
    descriptor& socket = loop->attach(one);
    for (int i = 0; i < 3; ++i) {
        std::thread other([&] { loop->wake(); });
        loop->wait(forever);
        other.join();
        loop->wake();
        loop->wait(forever);  // kept, if nobody was waiting
        look();
    }
    loop->close(socket);
}

TEST_P(contract, comes_back_when_the_time_has_passed) {
    descriptor& socket = loop->attach(one);
    counted_request r = receive(socket);
    EXPECT_FALSE(loop->submit(r));
    look();  // at what registering it has brought
    const auto begin = std::chrono::steady_clock::now();
    loop->wait(2ms);
    EXPECT_GE(
        (std::chrono::steady_clock::now() - begin).count(),
        std::chrono::nanoseconds(2ms).count()
    );
    EXPECT_EQ(r.completions, 0);
    loop->close(socket);
    finish(r);
}

TEST_P(contract, serves_ten_thousand_requests_in_any_order) {
    descriptor& socket = loop->attach(one);
    int received = 0;
    for (int i = 0; i < 10'000; ++i) {
        counted_request r = receive(socket);
        if (i % 3 == 0)
            write("x");
        if (!loop->submit(r)) {
            if (i % 3 == 1) {
                cancel(r);
                continue;
            }
            if (i % 3 == 2)
                write("x");
            finish(r);
        }
        EXPECT_EQ(r.result, 1);
        ++received;
    }
    EXPECT_GT(received, 6000);
    loop->close(socket);
}

TEST_P(contract, takes_more_requests_than_one_batch_holds) {
    constexpr std::size_t count = 1000;
    std::vector<descriptor*> sockets;
    std::vector<unique_fd> far;
    std::vector<counted_request> requests;
    std::vector<std::array<char, 4>> buffers(count);
    requests.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        std::array<int, 2> ends{};
        ASSERT_EQ(::socketpair(AF_UNIX, stream_type, 0, ends.data()), 0)
            << "ulimit -n is too low for this test";
        sockets.push_back(&loop->attach(ends[0]));
        far.emplace_back(ends[1]);
        requests.emplace_back(
            request_code::receive, *sockets.back(), buffers[i].data(), 4
        );
        EXPECT_FALSE(loop->submit(requests.back()));
    }
    EXPECT_EQ(loop->pending(), count);
    for (std::size_t i = 0; i < count; i += 2)
        EXPECT_EQ(::write(far[i].get(), "x", 1), 1);
    for (std::size_t i = 0; i < count; i += 2)
        finish(requests[i]);
    for (std::size_t i = 1; i < count; i += 2)
        cancel(requests[i]);
    EXPECT_EQ(loop->pending(), 0u);
    for (descriptor* socket : sockets)
        loop->close(*socket);
}
