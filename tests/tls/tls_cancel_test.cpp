// SPDX-License-Identifier: MIT
/// @file
/// TLS streams that are cancelled, closed by another task, or gone while tasks wait.

#include "tls/tls_pairs.hpp"

#include <memory>

using namespace anyio;
using namespace std::chrono_literals;
using support::contexts;
using support::receive_exactly;
using support::tls_memory_stream;
using ::testing::HasSubstr;

namespace {

/// Transports that take this much before their sender waits.
task<std::pair<tls_memory_stream, tls_memory_stream>> small_pair(std::size_t capacity) {
    const contexts of;
    co_return co_await support::connect_over(
        anyio::testing::memory_stream_pair(capacity), of
    );
}

}  // namespace

ANYIO_TEST(tls_cancel, a_handshake_that_is_cut_short_closes_the_transport) {
    const contexts of;
    auto below = anyio::testing::memory_stream_pair();
    const auto wrapped =
        co_await move_on_after(1s, wrap_tls(std::move(below.first), of.for_client()));
    EXPECT_FALSE(wrapped);
    std::string hello;
    while (auto chunk = co_await below.second.next())
        hello += chunk->str();
    EXPECT_EQ(hello.substr(0, 1), "\x16") << "the client had begun";
}

ANYIO_TEST(tls_cancel, a_handshake_in_a_cancelled_scope_sends_nothing) {
    const contexts of;
    auto below = anyio::testing::memory_stream_pair();
    auto body = [&](cancel_scope& scope) -> task<> {
        scope.cancel();
        (void)co_await wrap_tls(std::move(below.first), of.for_client());
        ADD_FAILURE() << "shook hands";
    };
    co_await with(cancel_scope(), body);
    const auto nothing = co_await below.second.next();
    EXPECT_FALSE(nothing);
}

ANYIO_TEST(tls_cancel, a_handshake_at_any_step_can_be_cut_short) {
    const contexts of;
    for (int steps = 0; steps < 30; ++steps) {
        auto below = anyio::testing::memory_stream_pair(500);
        outcome<tls_memory_stream> server;
        auto both = [&](task_group& tg) -> task<> {
            tg.start_soon([&]() -> task<> {
                server = co_await as_outcome(
                    wrap_tls(std::move(below.second), of.for_server())
                );
            });
            auto client = tg.create_task([&]() -> task<> {
                (void)co_await wrap_tls(std::move(below.first), of.for_client());
            });
            for (int i = 0; i < steps; ++i)
                co_await lowlevel::checkpoint();
            client.cancel();
        };
        co_await with(create_task_group(), both);
        EXPECT_TRUE(
            server.has_value() || is_error<broken_resource_error>(server.error())
        ) << steps;
    }
}

ANYIO_TEST(tls_cancel, a_send_that_was_cut_short_is_the_last) {
    auto [client, server] = co_await small_pair(10'000);
    const bool sent =
        co_await move_on_after(1s, client.send(std::string(100'000, 'x')));
    EXPECT_FALSE(sent);
    for (int i = 0; i < 2; ++i) {
        const auto again = co_await as_outcome(client.send("more"));
        EXPECT_TRUE(is_error<broken_resource_error>(again.error()));
        EXPECT_THAT(
            message_of(again.error()),
            HasSubstr("send on tls_stream to localhost: an earlier send was cut short")
        );
    }
    const auto eof = co_await as_outcome(client.send_eof());
    EXPECT_TRUE(is_error<broken_resource_error>(eof.error()));
    co_await server.send("receiving goes on");
    const std::string got = co_await receive_exactly(client, 17);
    EXPECT_EQ(got, "receiving goes on");
    co_await client.aclose();
    const auto all = co_await as_outcome(support::receive_all(server));
    EXPECT_TRUE(is_error<tls_error>(all.error())) << "no goodbye behind half a record";
}

ANYIO_TEST(tls_cancel, a_send_that_had_not_begun_breaks_nothing) {
    auto [client, server] = co_await small_pair(10'000);
    auto body = [&c = client](cancel_scope& scope) -> task<> {
        scope.cancel();
        co_await c.send("never");
    };
    co_await with(cancel_scope(), body);
    co_await client.send("but this");
    const std::string got = co_await receive_exactly(server, 8);
    EXPECT_EQ(got, "but this");
}

ANYIO_TEST(tls_cancel, a_failed_send_is_the_last) {
    auto [client, server] = co_await small_pair(10'000);
    {
        auto gone = std::move(server);
    }
    for (int i = 0; i < 2; ++i) {
        const auto sent = co_await as_outcome(client.send("anybody?"));
        EXPECT_TRUE(is_error<broken_resource_error>(sent.error()));
    }
    co_await client.aclose();
}

ANYIO_TEST(tls_cancel, a_goodbye_that_nobody_takes_is_left_out) {
    auto [client, server] = co_await small_pair(10'000);
    std::exception_ptr error;
    auto both = [&, &c = client](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            const auto sent = co_await as_outcome(c.send(std::string(100'000, 'x')));
            error = sent.error();
        });
        co_await wait_all_tasks_blocked();
        const auto before = current_time();
        co_await c.aclose();
        EXPECT_LE(current_time() - before, 2s);
    };
    co_await with(create_task_group(), both);
    EXPECT_TRUE(is_error<closed_resource_error>(error)) << message_of(error);
}

ANYIO_TEST(tls_cancel, a_goodbye_takes_a_second_at_most) {
    const contexts of;
    auto [client, server] =
        co_await support::connect_over(anyio::testing::lockstep_stream_pair(), of);
    const auto before = current_time();
    co_await client.aclose();
    EXPECT_EQ(current_time() - before, 1s);
    const auto end = co_await as_outcome(server.next());
    EXPECT_TRUE(is_error<tls_error>(end.error()));
}

ANYIO_TEST(tls_cancel, a_stream_destroyed_with_waiters_ends_them) {
    const contexts of;
    auto made = co_await small_pair(10'000);
    auto client = std::make_unique<tls_memory_stream>(std::move(made.first));
    co_await support::destroy_with_waiters(std::move(client), 100'000);
}

ANYIO_TEST(tls_cancel, a_stream_moves_while_tasks_wait) {
    auto made = co_await small_pair(10'000);
    std::optional<tls_memory_stream> first(std::move(made.first));
    std::string got;
    auto both = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            const bytes chunk = co_await first->receive();
            got = chunk.str();
        });
        co_await wait_all_tasks_blocked();
        tls_memory_stream second(std::move(*first));
        first.reset();
        co_await made.second.send("to where it went");
        co_await wait_all_tasks_blocked();
        EXPECT_FALSE(second.is_closed());
    };
    co_await with(create_task_group(), both);
    EXPECT_EQ(got, "to where it went");
}

ANYIO_TEST(tls_cancel, a_moved_from_stream_is_closed) {
    auto made = co_await small_pair(10'000);
    tls_memory_stream now = std::move(made.first);
    EXPECT_TRUE(made.first.is_closed());
    EXPECT_THROW((void)made.first.send("a"), closed_resource_error);
    EXPECT_THROW((void)made.first.receive(), closed_resource_error);
    co_await made.first.aclose();
}

ANYIO_TEST(tls_cancel, receiving_goes_on_while_a_send_waits) {
    auto [client, server] = co_await small_pair(10'000);
    auto both = [&c = client, &s = server](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await c.send(std::string(100'000, 'x')); });
        co_await wait_all_tasks_blocked();
        for (int i = 0; i < 50; ++i) {
            co_await s.send(std::string(1000, 'y'));
            const std::string got = co_await receive_exactly(c, 1000);
            EXPECT_EQ(got.size(), 1000u);
        }
        tg.cancel();
    };
    co_await with(create_task_group(), both);
}

ANYIO_TEST(tls_cancel, the_second_of_two_senders_is_told_so) {
    auto [client, server] = co_await small_pair(10'000);
    auto both = [&c = client](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> { co_await c.send(std::string(100'000, 'x')); });
        co_await wait_all_tasks_blocked();
        const auto eof = co_await as_outcome(c.send_eof());
        EXPECT_TRUE(is_error<busy_resource_error>(eof.error()));
        EXPECT_THAT(
            message_of(eof.error()),
            HasSubstr("send on tls_stream: another task is already sending")
        );
        tg.cancel();
    };
    co_await with(create_task_group(), both);
    (void)server;
}
