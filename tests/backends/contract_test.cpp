// SPDX-License-Identifier: MIT
#include "backends/contract.hpp"

#include <anyio/backends/backend.hpp>

#include <thread>

using namespace anyio;
using namespace std::chrono_literals;
using backends::cancel_result;
using backends::descriptor;
using backends::request;
using backends::request_code;

namespace {

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

// Somebody else has the same file, so closing it here does not end it.
TEST_P(contract, what_was_closed_may_come_back_with_the_same_number) {
    const unique_fd elsewhere(::fcntl(one, F_DUPFD_CLOEXEC, 0));
    for (const auto kind :
         {anyio::backends::descriptor_kind::any, anyio::backends::descriptor_kind::tcp
         }) {
        for (int i = 0; i < 2; ++i) {
            descriptor& socket = loop->attach(one, kind);
            counted_request r = receive(socket);
            EXPECT_FALSE(loop->submit(r));
            look();
            write("hello");
            finish(r);
            EXPECT_EQ(r.result, 5);
            loop->close(socket);
            look();
            EXPECT_EQ(::dup3(elsewhere.get(), one, O_CLOEXEC), one);
        }
    }
    ::close(one);
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

TEST_P(contract, reports_what_went_wrong_as_minus_errno) {
    descriptor& socket = loop->attach(one);
    two.reset();
    char byte = 'x';
    counted_request r(request_code::send, socket, &byte, 1);
    complete(r);  // and no SIGPIPE
    EXPECT_EQ(r.result, -EPIPE);
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
    // The kernel interrupts it once if it still clears away a ring of this process, that
    // of the probe for instance (seen on Linux 6.18).
    std::chrono::nanoseconds waited{};
    for (int i = 0; i < 5 && waited < 2ms; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        loop->wait(2ms);
        waited = std::chrono::steady_clock::now() - begin;
    }
    EXPECT_GE(waited.count(), std::chrono::nanoseconds(2ms).count());
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
