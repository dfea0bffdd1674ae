// SPDX-License-Identifier: MIT
#include <anyio/networking/tcp_listener.hpp>
#include "networking/faulty_backend.hpp"
#include "networking/unix_connections.hpp"
#include "support/own_name.hpp"
#include "support/run_on.hpp"

#include <cerrno>
#include <memory>

using namespace anyio;
using namespace std::chrono_literals;
using support::faulty_backend;
using ::testing::ElementsAre;

namespace {

/// Runs `body` on a faulty_backend, on virtual time, with failures at once and later.
void run_faulty(task<> (*body)()) {
    for (const bool later : {false, true}) {
        anyio::testing::virtual_clock clock;
        faulty_backend::errors.clear();
        faulty_backend::later = later;
        support::run_on(std::make_unique<faulty_backend>(), &clock, body);
        EXPECT_TRUE(faulty_backend::errors.empty());
    }
}

task<> greet(socket_stream client) {
    co_await client.send("hello");
}

/// Serves one client, which gets its answer; returns when it came.
task<duration> time_to_serve(tcp_listener& listener) {
    const time_point start = current_time();
    duration took = 0s;
    co_await with(create_task_group(), [&](task_group& group) -> task<> {
        auto client = co_await connect_tcp("127.0.0.1", listener.local_port());
        group.start_soon([&]() -> task<> { co_await listener.serve(greet); });
        const bytes got = co_await client.receive();
        EXPECT_EQ(got, as_bytes("hello"));
        took = current_time() - start;
        group.cancel();
    });
    co_return took;
}

}  // namespace

// accept(2), "Error handling"; reliability of a server on the open internet.
TEST(accept_errors, of_one_connection_are_passed_over) {
    run_faulty([]() -> task<> {
        auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
        faulty_backend::errors = {
            ECONNABORTED,
            EPROTO,
            ENETDOWN,
            EHOSTDOWN,
            ENONET,
            EHOSTUNREACH,
            ENETUNREACH,
            EOPNOTSUPP,
            ENOPROTOOPT,
            ETIMEDOUT
        };
        const duration took = co_await time_to_serve(listener);
        EXPECT_EQ(took, 0s);
    });
}

TEST(accept_errors, of_shortage_are_waited_for_and_reported_once) {
    run_faulty([]() -> task<> {
        auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
        const std::string where = to_string(listener.local_addresses().front());
        faulty_backend::errors = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
        ::testing::internal::CaptureStderr();
        const duration took = co_await time_to_serve(listener);
        EXPECT_EQ(took, 400ms);
        EXPECT_EQ(
            ::testing::internal::GetCapturedStderr(),
            "anyio: accept tcp " + where +
                ": too many open files (EMFILE); trying again every 100 ms\n"
        );
        // A quarter of an hour later it is news again.
        co_await sleep(15min);
        faulty_backend::errors = {ENOMEM};
        ::testing::internal::CaptureStderr();
        co_await time_to_serve(listener);
        EXPECT_EQ(
            ::testing::internal::GetCapturedStderr(),
            "anyio: accept tcp " + where +
                ": cannot allocate memory (ENOMEM); trying again every 100 ms\n"
        );
    });
}

// One connection that a firewall forbids, or all of them: nobody can tell.
TEST(accept_errors, of_permission_are_waited_for_and_reported) {
    run_faulty([]() -> task<> {
        auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
        faulty_backend::errors = {EPERM, EPERM};
        ::testing::internal::CaptureStderr();
        const duration took = co_await time_to_serve(listener);
        EXPECT_EQ(took, 200ms);
        EXPECT_THAT(
            ::testing::internal::GetCapturedStderr(),
            ::testing::HasSubstr("operation not permitted (EPERM); trying again")
        );
        faulty_backend::errors = {EPERM};
        const auto accepted = co_await as_outcome(listener.accept());
        EXPECT_TRUE(is_error<os_error>(accepted.error()));
    });
}

TEST(accept_errors, of_a_great_many_connections_in_a_row_do_not_hold_up_the_loop) {
    run_faulty([]() -> task<> {
        auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
        faulty_backend::errors.assign(1000, ECONNABORTED);
        ::testing::internal::CaptureStderr();
        const duration took = co_await time_to_serve(listener);
        EXPECT_EQ(took > 1s, !faulty_backend::later);
        ::testing::internal::GetCapturedStderr();
    });
}

TEST(accept_errors, of_shortage_end_when_the_server_is_cancelled_or_closed) {
    run_faulty([]() -> task<> {
        auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
        ::testing::internal::CaptureStderr();
        faulty_backend::errors = {EMFILE};
        const bool finished = co_await move_on_after(50ms, listener.serve(greet));
        EXPECT_FALSE(finished);
        faulty_backend::errors = {EMFILE};
        outcome<void> served;
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            group.start_soon([&]() -> task<> {
                served = co_await as_outcome(listener.serve(greet));
            });
            co_await sleep(50ms);
            co_await listener.aclose();
        });
        EXPECT_THAT(
            messages_of(served.error()),
            ElementsAre(
                "accept on tcp_listener: the listener is closed, or was moved from"
            )
        );
        ::testing::internal::GetCapturedStderr();
    });
}

TEST(accept_errors, of_other_kinds_end_the_server) {
    run_faulty([]() -> task<> {
        auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
        const std::string where = to_string(listener.local_addresses().front());
        faulty_backend::errors = {EINVAL};
        const auto served = co_await as_outcome(listener.serve(greet));
        EXPECT_THAT(
            messages_of(served.error()),
            ElementsAre("accept tcp " + where + ": invalid argument (EINVAL)")
        );
        EXPECT_FALSE(listener.is_closed());
    });
}

TEST(accept_errors, of_unix_sockets_say_where) {
    run_faulty([]() -> task<> {
        const unix_address at = support::own_name("faulty");
        auto listener = co_await create_unix_listener(at);
        faulty_backend::errors = {EINVAL};
        const auto accepted = co_await as_outcome(listener.accept());
        EXPECT_EQ(
            message_of(accepted.error()),
            describe("accept unix ", at, ": invalid argument (EINVAL)")
        );
    });
}
