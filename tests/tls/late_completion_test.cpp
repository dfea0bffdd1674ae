// SPDX-License-Identifier: MIT
/// @file
/// TLS on a backend that cannot stop an operation at once (rule K4). Time is real here.

#include "networking/late_backend.hpp"
#include "tls/tls_pairs.hpp"

#include <memory>

using namespace anyio;
using namespace std::chrono_literals;
using support::contexts;
using support::receive_exactly;

#define LATE_TEST(name)                                                                \
    static task<> late_##name();                                                       \
    TEST(tls_late_completion, name) {                                                  \
        support::run_late(&late_##name);                                               \
    }                                                                                  \
    static task<> late_##name()

namespace {

using tls_socket = tls_stream<socket_stream>;

task<std::pair<socket_stream, socket_stream>> connected_sockets() {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    auto client = co_await connect_tcp("127.0.0.1", listener.local_port());
    auto server = co_await listener.accept();
    co_return std::pair(std::move(client), std::move(server));
}

task<std::pair<tls_socket, tls_socket>> tls_sockets() {
    const contexts of;
    auto below = co_await connected_sockets();
    co_return co_await support::connect_over(std::move(below), of);
}

}  // namespace

LATE_TEST(a_receive_that_was_cut_short_takes_nothing) {
    auto [client, server] = co_await tls_sockets();
    for (int i = 0; i < 3; ++i) {
        const auto nothing = co_await move_on_after(1ms, server.receive());
        EXPECT_FALSE(nothing);
    }
    co_await client.send("still here");
    const std::string got = co_await receive_exactly(server, 10);
    EXPECT_EQ(got, "still here");
}

LATE_TEST(data_that_overtakes_its_cancellation_is_not_lost) {
    auto [client, server] = co_await tls_sockets();
    std::string got;
    auto both = [&, &c = client, &s = server](task_group& tg) -> task<> {
        auto reader = tg.create_task([&]() -> task<> {
            const bytes chunk = co_await s.receive();
            got = chunk.str();
        });
        co_await wait_all_tasks_blocked();
        reader.cancel();
        co_await c.send("late, but here");
        co_await reader.wait();
    };
    co_await with(create_task_group(), both);
    if (got.empty())
        got = co_await receive_exactly(server, 14);
    EXPECT_EQ(got, "late, but here");
}

LATE_TEST(a_send_that_was_cut_short_keeps_its_ciphertext_until_it_has_ended) {
    auto [client, server] = co_await tls_sockets();
    const bool sent =
        co_await move_on_after(1ms, client.send(std::string(20'000'000, 'x')));
    EXPECT_FALSE(sent);
    const auto again = co_await as_outcome(client.send("more"));
    EXPECT_TRUE(is_error<broken_resource_error>(again.error()));
    co_await client.aclose();
    const auto all = co_await as_outcome(support::receive_all(server));
    EXPECT_TRUE(is_error<broken_resource_error>(all.error()));
}

LATE_TEST(a_stream_destroyed_with_waiters_leaves_them_their_memory) {
    auto made = co_await tls_sockets();
    auto client = std::make_unique<tls_socket>(std::move(made.first));
    co_await support::destroy_with_waiters(std::move(client), 20'000'000);
}

LATE_TEST(a_handshake_that_is_cut_short_ends) {
    const contexts of;
    auto below = co_await connected_sockets();
    const auto wrapped =
        co_await move_on_after(1ms, wrap_tls(std::move(below.first), of.for_client()));
    EXPECT_FALSE(wrapped);
    while (co_await below.second.next()) {
    }
}
