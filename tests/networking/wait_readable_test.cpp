// SPDX-License-Identifier: MIT
#include <anyio/networking/wait_readable.hpp>

#include <anyio/base/unique_fd.hpp>
#include "networking/connections.hpp"

#include <array>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

using namespace anyio;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

namespace {

struct pipe_ends {
    pipe_ends() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
        reading = unique_fd(ends[0]);
        writing = unique_fd(ends[1]);
    }

    void fill() const {
        const std::string block(65536, 'x');
        while (::write(writing.get(), block.data(), block.size()) > 0) {
        }
    }

    std::string read() const {
        std::string text(100000, '\0');
        const auto got = ::read(reading.get(), text.data(), text.size());
        text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return text;
    }

    unique_fd reading;
    unique_fd writing;
};

}  // namespace

ANYIO_TEST(wait_readable, waits_until_there_is_something_to_read) {
    const pipe_ends pipe;
    std::string got;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            co_await wait_readable(pipe.reading.get());
            got = pipe.read();
        });
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(got, "");
        EXPECT_EQ(::write(pipe.writing.get(), "x", 1), 1);
    });
    EXPECT_EQ(got, "x");
}

// Edge-triggered notification would report it once.
ANYIO_TEST(wait_readable, goes_on_at_once_as_long_as_something_is_left) {
    const pipe_ends pipe;
    EXPECT_EQ(::write(pipe.writing.get(), "abc", 3), 3);
    for (int i = 0; i < 3; ++i) {
        co_await wait_readable(pipe.reading.get());
        char one = 0;
        EXPECT_EQ(::read(pipe.reading.get(), &one, 1), 1);
    }
    const bool more = co_await move_on_after(1ms, wait_readable(pipe.reading.get()));
    EXPECT_FALSE(more);
}

ANYIO_TEST(wait_readable, sees_the_end_as_something_to_read) {
    pipe_ends pipe;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            co_await wait_readable(pipe.reading.get());
            EXPECT_EQ(pipe.read(), "");
        });
        co_await wait_all_tasks_blocked();
        pipe.writing.reset();
    });
}

ANYIO_TEST(wait_writable, waits_until_there_is_room) {
    const pipe_ends pipe;
    co_await wait_writable(pipe.writing.get());
    pipe.fill();
    bool writable = false;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            co_await wait_writable(pipe.writing.get());
            writable = true;
        });
        co_await wait_all_tasks_blocked();
        EXPECT_FALSE(writable);
        while (!pipe.read().empty()) {
        }
    });
    EXPECT_TRUE(writable);
}

ANYIO_TEST(wait_readable, and_wait_writable_serve_one_socket_at_once) {
    std::array<int, 2> ends{};
    EXPECT_EQ(
        ::socketpair(
            AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()
        ),
        0
    );
    const unique_fd one(ends[0]);
    const unique_fd two(ends[1]);
    const std::string block(65536, 'x');
    while (::write(one.get(), block.data(), block.size()) > 0) {
    }
    int events = 0;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            co_await wait_readable(one.get());
            events += 1;
        });
        group.start_soon([&]() -> task<> {
            co_await wait_writable(one.get());
            events += 10;
        });
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(events, 0);
        EXPECT_EQ(::write(two.get(), "x", 1), 1);
        while (events == 0)
            co_await lowlevel::checkpoint();
        EXPECT_EQ(events, 1);
        std::string sink(1'000'000, '\0');
        while (::read(two.get(), sink.data(), sink.size()) > 0) {
        }
    });
    EXPECT_EQ(events, 11);
}

ANYIO_TEST(wait_readable, has_one_task_for_each_direction) {
    const pipe_ends pipe;
    const int fd = pipe.reading.get();
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon({.name = "first"}, [&]() -> task<> {
            co_await wait_readable(fd);
        });
        co_await wait_all_tasks_blocked();
        const auto second = co_await as_outcome(wait_readable(fd));
        EXPECT_TRUE(is_error<busy_resource_error>(second.error()));
        EXPECT_THAT(
            message_of(second.error()),
            HasSubstr(describe(
                "wait_readable fd ",
                fd,
                ": another task is already waiting to read: \"first\""
            ))
        );
        group.cancel();
    });
    EXPECT_EQ(::write(pipe.writing.get(), "x", 1), 1);
    co_await wait_readable(fd);
}

ANYIO_TEST(wait_readable, is_woken_by_notify_closing) {
    pipe_ends pipe;
    const int fd = pipe.reading.get();
    notify_closing(fd);  // nobody waits
    outcome<void> waited;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            waited = co_await as_outcome(wait_readable(fd));
        });
        co_await wait_all_tasks_blocked();
        notify_closing(fd);
        pipe.reading.reset();
        pipe = pipe_ends();  // with the same number, perhaps
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(::write(pipe.writing.get(), "x", 1), 1);
        co_await wait_readable(pipe.reading.get());
    });
    EXPECT_TRUE(is_error<closed_resource_error>(waited.error()));
    EXPECT_EQ(
        message_of(waited.error()),
        describe(
            "wait_readable fd ",
            fd,
            ": notify_closing() was called while this task waited"
        )
    );
}

ANYIO_TEST(wait_readable, cancelled_leaves_nothing_behind) {
    const pipe_ends pipe;
    const int fd = pipe.reading.get();
    for (int i = 0; i < 3; ++i) {
        const bool waited = co_await move_on_after(1ms, wait_readable(fd));
        EXPECT_FALSE(waited);
    }
    EXPECT_EQ(::write(pipe.writing.get(), "x", 1), 1);
    cancel_scope scope;
    scope.cancel();
    const bool ready =
        co_await with(scope, [&]() -> task<> { co_await wait_readable(fd); });
    EXPECT_FALSE(ready);
    co_await wait_readable(fd);
}

ANYIO_TEST(wait_readable, refuses_what_is_no_descriptor) {
    for (const int fd : {-1, 12345}) {
        const auto waited = co_await as_outcome(wait_readable(fd));
        EXPECT_TRUE(is_error<os_error>(waited.error()));
        EXPECT_EQ(
            message_of(waited.error()),
            describe("wait_readable fd ", fd, ": bad file descriptor (EBADF)")
        );
    }
}

ANYIO_TEST(wait_readable, finds_a_regular_file_always_ready) {
    const unique_fd file(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
    co_await wait_readable(file.get());
    co_await wait_writable(file.get());
}

ANYIO_TEST(wait_readable, may_be_used_in_turn_for_a_number_that_was_reused) {
    for (int i = 0; i < 3; ++i) {
        const pipe_ends pipe;
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            group.start_soon([&]() -> task<> {
                co_await wait_readable(pipe.reading.get());
            });
            co_await wait_all_tasks_blocked();
            EXPECT_EQ(::write(pipe.writing.get(), "x", 1), 1);
        });
    }
}
