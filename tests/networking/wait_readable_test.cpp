// SPDX-License-Identifier: MIT
#include <anyio/networking/wait_readable.hpp>

#include <anyio/base/unique_fd.hpp>
#include "networking/connections.hpp"
#include "networking/full_pair.hpp"

#include <array>
#include <fstream>
#include <limits>

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

/// Of this process (proc(5), statm).
std::size_t mapped_bytes() {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

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
    const support::full_pair ends;
    const unique_fd& one = ends.one;
    const unique_fd& two = ends.two;
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

ANYIO_TEST(wait_readable, and_wait_writable_are_both_woken_by_notify_closing) {
    const support::full_pair ends;
    const unique_fd& one = ends.one;
    outcome<void> readable;
    outcome<void> writable;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> {
            readable = co_await as_outcome(wait_readable(one.get()));
        });
        group.start_soon({.name = "writer"}, [&]() -> task<> {
            writable = co_await as_outcome(wait_writable(one.get()));
        });
        co_await wait_all_tasks_blocked();
        const auto second = co_await as_outcome(wait_writable(one.get()));
        EXPECT_TRUE(is_error<busy_resource_error>(second.error()));
        EXPECT_THAT(
            message_of(second.error()),
            HasSubstr("another task is already waiting to write: \"writer\"")
        );
        notify_closing(one.get());
        notify_closing(one.get());
    });
    EXPECT_TRUE(is_error<closed_resource_error>(readable.error()));
    EXPECT_TRUE(is_error<closed_resource_error>(writable.error()));
}

ANYIO_TEST(wait_readable, cancelled_after_notify_closing_is_told) {
    const pipe_ends pipe;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        auto waiter = group.create_task([&]() -> task<> {
            const auto waited = co_await as_outcome(wait_readable(pipe.reading.get()));
            EXPECT_TRUE(is_error<closed_resource_error>(waited.error()));
        });
        co_await wait_all_tasks_blocked();
        notify_closing(pipe.reading.get());
        waiter.cancel();
    });
}

// Closed without notify_closing(): the task that waits hears of nothing, but what gets the
// number later is not harmed.
ANYIO_TEST(wait_readable, on_what_is_closed_without_a_word_harms_nobody) {
    for (const bool waits_first : {true, false}) {
        pipe_ends pipe;
        const int number = pipe.reading.get();
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            auto forgotten =
                group.create_task([&]() -> task<> { co_await wait_readable(number); });
            co_await wait_all_tasks_blocked();
            auto peer = co_await create_udp_socket({.local_host = "127.0.0.1"});
            auto spare = co_await create_udp_socket({.local_host = "127.0.0.1"});
            EXPECT_EQ(::dup3(spare.native_handle(), number, O_CLOEXEC), number);
            static_cast<void>(pipe.reading.release());
            co_await spare.aclose();

            auto socket = udp_socket::from_fd(unique_fd(number));
            std::string got;
            co_await with(create_task_group(), [&](task_group& receiving) -> task<> {
                if (!waits_first) {
                    forgotten.cancel();
                    co_await forgotten.wait();
                }
                receiving.start_soon([&]() -> task<> {
                    const udp_packet packet = co_await socket.receive();
                    got = packet.data.str();
                });
                co_await wait_all_tasks_blocked();
                forgotten.cancel();
                co_await forgotten.wait();
                co_await peer.send_to("still here", socket.local_address());
            });
            EXPECT_EQ(got, "still here");
        });
    }
}

ANYIO_TEST(
    wait_readable, works_for_another_file_with_the_number_of_one_that_was_closed
) {
    pipe_ends old;
    const int number = old.reading.get();
    pipe_ends other;
    other.fill();
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        auto forgotten =
            group.create_task([&]() -> task<> { co_await wait_readable(number); });
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(::dup3(other.writing.get(), number, O_CLOEXEC), number);
        other.writing.reset();
        bool writable = false;
        co_await with(create_task_group(), [&](task_group& waiting) -> task<> {
            waiting.start_soon([&]() -> task<> {
                co_await wait_writable(number);
                writable = true;
            });
            co_await wait_all_tasks_blocked();
            EXPECT_FALSE(writable);
            while (!other.read().empty()) {
            }
        });
        EXPECT_TRUE(writable);
        group.cancel();
    });
}

// Two tasks cannot wait in one direction for one number, whatever it stands for.
ANYIO_TEST(
    wait_readable, for_the_number_of_one_that_was_closed_without_a_word_is_refused
) {
    pipe_ends old;
    const int number = old.reading.get();
    const pipe_ends other;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        group.start_soon([&]() -> task<> { co_await wait_readable(number); });
        co_await wait_all_tasks_blocked();
        EXPECT_EQ(::dup3(other.reading.get(), number, O_CLOEXEC), number);
        const auto waited = co_await as_outcome(wait_readable(number));
        EXPECT_TRUE(is_error<busy_resource_error>(waited.error()));
        group.cancel();
    });
}

ANYIO_TEST(wait_readable, for_a_wrong_number_takes_no_memory_for_those_below_it) {
    for (const int fd : {100'000'000, std::numeric_limits<int>::max()}) {
        const std::size_t before = mapped_bytes();
        const auto waited = co_await as_outcome(wait_readable(fd));
        EXPECT_TRUE(is_error<os_error>(waited.error()));
        EXPECT_LT(mapped_bytes(), before + 1'000'000);
    }
}
