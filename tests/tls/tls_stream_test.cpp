// SPDX-License-Identifier: MIT
#include <anyio/streams/tls.hpp>
#include "support/budget.hpp"
#include "tls/tls_pairs.hpp"

#include <memory>

using namespace anyio;
using namespace std::chrono_literals;
using support::contexts;
using support::memory_pair;
using support::receive_exactly;
using support::tls_memory_stream;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

namespace {

constexpr tls_version versions[] = {tls_version::tls1_2, tls_version::tls1_3};

/// Transports that wait when so much is under way.
template <class Make>
task<std::pair<tls_memory_stream, tls_memory_stream>> pair_over(Make below) {
    const contexts with;
    co_return co_await support::connect_over(below(), with);
}

}  // namespace

ANYIO_TEST(tls_stream, tells_of_itself) {
    for (const tls_version version : versions) {
        contexts with(version);
        with.client.alpn("h2", "http/1.1");
        with.server.alpn("spdy/3", "http/1.1");
        auto [client, server] = co_await memory_pair(with);
        EXPECT_EQ(extra<tls_attribute::tls_version>(client), version);
        EXPECT_EQ(extra<tls_attribute::alpn_protocol>(client), "http/1.1");
        EXPECT_EQ(extra<tls_attribute::alpn_protocol>(server), "http/1.1");
        EXPECT_FALSE(extra<tls_attribute::server_side>(client));
        EXPECT_TRUE(extra<tls_attribute::server_side>(server));
        EXPECT_TRUE(extra<tls_attribute::standard_compatible>(client));
        const std::string cipher = extra<tls_attribute::cipher>(client);
        EXPECT_EQ(cipher, extra<tls_attribute::cipher>(server));
        EXPECT_THAT(extra<tls_attribute::shared_ciphers>(server), Contains(cipher));
        EXPECT_THAT(extra<tls_attribute::shared_ciphers>(client), ElementsAre());
    }
}

ANYIO_TEST(tls_stream, tells_of_its_peer) {
    const contexts with;
    auto [client, server] = co_await memory_pair(with);
    const auto shown = extra<tls_attribute::peer_certificate>(client);
    ANYIO_REQUIRE(shown);
    EXPECT_EQ(shown->subject, "CN=localhost");
    EXPECT_EQ(shown->issuer, "CN=Test Authority");
    EXPECT_THAT(shown->dns_names, ElementsAre("localhost"));
    EXPECT_THAT(shown->ip_addresses, ElementsAre("127.0.0.1"));
    EXPECT_EQ(shown->der.front(), '\x30');
    EXPECT_THAT(shown->not_after, HasSubstr("GMT"));
    EXPECT_FALSE(extra<tls_attribute::peer_certificate>(server));
}

ANYIO_TEST(tls_stream, both_sides_know_what_nobody_else_does) {
    for (const tls_version version : versions) {
        const contexts with(version);
        auto [client, server] = co_await memory_pair(with);
        const std::string binding = extra<tls_attribute::channel_binding>(client);
        EXPECT_EQ(binding, extra<tls_attribute::channel_binding>(server));
        EXPECT_EQ(binding.size(), version == tls_version::tls1_3 ? 32u : 12u);
        auto [other, unused] = co_await memory_pair(with);
        EXPECT_NE(binding, extra<tls_attribute::channel_binding>(other));
    }
}

ANYIO_TEST(tls_stream, attributes_of_the_transport_are_seen_through_it) {
    auto listener = co_await create_tcp_listener({.local_host = "127.0.0.1"});
    auto below = co_await connect_tcp("127.0.0.1", listener.local_port());
    auto accepted = co_await listener.accept();
    const contexts with;
    auto [client, server] = co_await support::connect_over(
        std::pair<socket_stream, socket_stream>(std::move(below), std::move(accepted)),
        with
    );
    EXPECT_EQ(extra<socket_attribute::remote_port>(client), listener.local_port());
    abc::byte_stream erased(std::move(client));
    EXPECT_EQ(extra<socket_attribute::remote_port>(erased), listener.local_port());
    EXPECT_EQ(extra<tls_attribute::tls_version>(erased), tls_version::tls1_3);
    const auto moved = std::move(server);
    EXPECT_THROW(
        (void)extra<socket_attribute::remote_port>(server), closed_resource_error
    );
    EXPECT_EQ(extra<socket_attribute::local_port>(moved), listener.local_port());
}

ANYIO_TEST(tls_stream, versions_without_one_in_common_are_refused) {
    contexts with;
    with.client.set_maximum_version(tls_version::tls1_2);
    with.server.set_minimum_version(tls_version::tls1_3);
    const auto ended = co_await support::shake_hands(
        anyio::testing::memory_stream_pair(), with.for_client(), with.for_server()
    );
    EXPECT_THAT(
        message_of(ended.client.error()),
        StartsWith("tls handshake with localhost: the peer refused: ")
    );
    EXPECT_THAT(
        message_of(ended.server.error()), HasSubstr("a client: unsupported protocol")
    );
}

ANYIO_TEST(tls_stream, one_side_may_end_before_the_other) {
    const contexts with;
    auto [client, server] = co_await memory_pair(with);
    co_await client.send("question");
    co_await client.send_eof();
    const std::string question = co_await support::receive_all(server);
    EXPECT_EQ(question, "question");
    co_await server.send("answer");
    co_await server.aclose();
    const std::string answer = co_await support::receive_all(client);
    EXPECT_EQ(answer, "answer");
}

ANYIO_TEST(tls_stream, but_not_with_tls_1_2) {
    const contexts with(tls_version::tls1_2);
    auto [client, server] = co_await memory_pair(with);
    const auto ended = co_await as_outcome(client.send_eof());
    EXPECT_TRUE(is_error<usage_error>(ended.error()));
    EXPECT_THAT(
        message_of(ended.error()),
        HasSubstr(
            "send_eof on tls_stream to localhost: TLS 1.2 cannot end one direction"
        )
    );
    co_await client.send("as before");
    const std::string got = co_await receive_exactly(server, 9);
    EXPECT_EQ(got, "as before");
}

ANYIO_TEST(tls_stream, gives_back_its_transport_with_what_came_behind) {
    for (const tls_version version : versions) {
        const contexts with(version);
        auto [client, server] = co_await memory_pair(with);
        std::optional<std::pair<support::memory_stream, bytes>> ours;
        std::optional<std::pair<support::memory_stream, bytes>> theirs;
        auto both = [&, &c = client, &s = server](task_group& tg) {
            tg.start_soon([&]() -> task<> {
                auto got = co_await c.unwrap();
                ours.emplace(std::move(got));
                co_await ours->first.send("plain");
            });
            tg.start_soon([&]() -> task<> {
                auto got = co_await s.unwrap();
                theirs.emplace(std::move(got));
            });
        };
        co_await anyio::with(create_task_group(), both);
        EXPECT_TRUE(client.is_closed());
        ANYIO_REQUIRE(theirs);
        std::string plain = theirs->second.str();
        while (plain.size() < 5) {
            const bytes more = co_await theirs->first.receive();
            plain += more.str();
        }
        EXPECT_EQ(plain, "plain");
        const auto late = co_await as_outcome(client.send("a"));
        EXPECT_TRUE(is_error<closed_resource_error>(late.error()));
    }
}

ANYIO_TEST(tls_stream, does_not_give_it_back_before_all_is_received) {
    const contexts with;
    auto [client, server] = co_await memory_pair(with);
    co_await server.send("unread");
    const auto ended = co_await as_outcome(client.unwrap());
    EXPECT_TRUE(is_error<usage_error>(ended.error()));
    EXPECT_THAT(message_of(ended.error()), HasSubstr("bytes that were not received"));
    const std::string got = co_await receive_exactly(client, 6);
    EXPECT_EQ(got, "unread");
}

// trio 819: the tickets of a server must not wait for a client that only sends.
ANYIO_TEST(tls_stream, a_server_does_not_wait_for_a_client_to_take_its_tickets) {
    auto [client, server] =
        co_await pair_over([] { return anyio::testing::lockstep_stream_pair(); });
    auto both = [&c = client, &s = server](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            for (int i = 0; i < 10; ++i)
                co_await c.send("only sending");
        });
        const std::string got = co_await receive_exactly(s, 120);
        EXPECT_EQ(got.size(), 120u);
        tg.start_soon([&]() -> task<> { co_await s.send("tickets and this"); });
        const std::string back = co_await receive_exactly(c, 16);
        EXPECT_EQ(back, "tickets and this");
    };
    co_await anyio::with(create_task_group(), both);
}

ANYIO_TEST(tls_stream, both_sides_send_before_they_receive) {
    auto [client, server] =
        co_await pair_over([] { return anyio::testing::memory_stream_pair(10'000); });
    int whole = 0;
    const std::string text(5'000, 'x');
    auto both = [&, &c = client, &s = server](task_group& tg) {
        for (tls_memory_stream* one : {&c, &s})
            tg.start_soon([&, one]() -> task<> {
                co_await one->send(text);
                const std::string got = co_await receive_exactly(*one, text.size());
                whole += got == text;
            });
    };
    co_await anyio::with(create_task_group(), both);
    EXPECT_EQ(whole, 2);
}

ANYIO_TEST(tls_stream, changes_its_keys_under_way) {
    const contexts with;
    auto [client, server] = co_await memory_pair(with);
    for (int i = 0; i < 3; ++i) {
        client.update_keys();
        co_await client.send("with new keys");
        const std::string there = co_await receive_exactly(server, 13);
        EXPECT_EQ(there, "with new keys");
        co_await server.send("here too");
        const std::string back = co_await receive_exactly(client, 8);
        EXPECT_EQ(back, "here too");
    }
    const contexts old(tls_version::tls1_2);
    auto [one, other] = co_await memory_pair(old);
    EXPECT_THROW(one.update_keys(), usage_error);
    (void)other;
}

ANYIO_TEST(tls_stream, resumes_a_session) {
    for (const tls_version version : versions) {
        const contexts with(version);
        auto [client, server] = co_await memory_pair(with);
        EXPECT_FALSE(client.session_resumed());
        co_await server.send("x");
        (void)co_await client.receive();
        const tls_session session = client.session();
        EXPECT_FALSE(session.empty());
        EXPECT_TRUE(server.session().empty());
        co_await client.aclose();

        tls_options again = with.for_client();
        again.session = &session;
        auto second = co_await support::shake_hands(
            anyio::testing::memory_stream_pair(), again, with.for_server()
        );
        ANYIO_REQUIRE(second.client && second.server);
        EXPECT_TRUE(second.client.value().session_resumed()) << to_string(version);
        EXPECT_TRUE(second.server.value().session_resumed());
        const std::string binding =
            extra<tls_attribute::channel_binding>(second.client.value());
        EXPECT_EQ(
            binding, extra<tls_attribute::channel_binding>(second.server.value())
        );
    }
}

ANYIO_TEST(tls_stream, a_session_proves_nothing_to_another_context_or_name) {
    const contexts with;
    tls_context careless = support::client_context();
    careless.insecure_no_verify();
    auto first = co_await support::shake_hands(
        anyio::testing::memory_stream_pair(),
        {.hostname = "localhost", .context = &careless},
        with.for_server()
    );
    ANYIO_REQUIRE(first.client && first.server);
    auto client = std::move(first.client).value();
    auto server = std::move(first.server).value();
    co_await server.send("x");
    (void)co_await client.receive();
    const tls_session session = client.session();
    EXPECT_FALSE(session.empty());

    tls_options verifying = with.for_client();
    verifying.session = &session;
    auto second = co_await support::shake_hands(
        anyio::testing::memory_stream_pair(), verifying, with.for_server()
    );
    ANYIO_REQUIRE(second.client && second.server);
    EXPECT_FALSE(second.client.value().session_resumed());
    auto third = co_await support::shake_hands(
        anyio::testing::memory_stream_pair(),
        {.hostname = "other", .context = &careless, .session = &session},
        with.for_server()
    );
    ANYIO_REQUIRE(third.client && third.server);
    EXPECT_FALSE(third.client.value().session_resumed());
}

namespace {

/// Whether a session that `first` has made is resumed after `change`.
template <class Change>
task<bool> resumes_after(contexts& with, Change change) {
    auto [client, server] = co_await memory_pair(with);
    co_await server.send("x");
    (void)co_await client.receive();
    const tls_session session = client.session();
    EXPECT_FALSE(session.empty());
    co_await client.aclose();
    change();
    tls_options again = with.for_client();
    again.session = &session;
    auto second = co_await support::shake_hands(
        anyio::testing::memory_stream_pair(), again, with.for_server()
    );
    co_return second.client.has_value() && second.client.value().session_resumed();
}

}  // namespace

// What was verified then proves nothing to those who trust somebody else now.
ANYIO_TEST(tls_stream, no_session_is_resumed_once_others_are_trusted) {
    const support::identity other =
        support::make_identity({.common_name = "other", .authority = true}, nullptr);
    for (const tls_version version : versions) {
        contexts with(version);
        const bool untouched = co_await resumes_after(with, [] {});
        EXPECT_TRUE(untouched);
        const bool theirs =
            co_await resumes_after(with, [&] { with.client.trust(other.certificate); });
        EXPECT_FALSE(theirs) << to_string(version);
    }
    for (const tls_version version : versions) {
        contexts with(version);
        const bool ours = co_await resumes_after(with, [&] {
            with.server.require_client_certificate();
        });
        EXPECT_FALSE(ours) << to_string(version);
        contexts careless(version);
        const bool sure = co_await resumes_after(careless, [&] {
            careless.server.trust(other.certificate);
        });
        EXPECT_FALSE(sure) << to_string(version);
    }
}

ANYIO_TEST(tls_stream, what_another_is_moved_to_is_closed) {
    const contexts with;
    auto [client, server] = co_await memory_pair(with);
    auto [other, other_server] = co_await memory_pair(with);
    auto body = [&, &c = client, &o = other](task_group& tg) -> task<> {
        outcome<bytes> received;
        auto waiting = tg.create_task([&]() -> task<> {
            received = co_await as_outcome(c.receive());
        });
        co_await wait_all_tasks_blocked();
        c = std::move(o);
        co_await waiting.wait();
        EXPECT_TRUE(is_error<closed_resource_error>(received.error()));
    };
    co_await anyio::with(create_task_group(), body);
    EXPECT_TRUE(other.is_closed());
    const auto end = co_await as_outcome(server.receive());
    EXPECT_THAT(message_of(end.error()), HasSubstr("ended without a goodbye"));
    co_await client.send("the other one");
    const std::string got = co_await support::receive_exactly(other_server, 13);
    EXPECT_EQ(got, "the other one");
    auto& itself = client;
    client = std::move(itself);
    EXPECT_FALSE(client.is_closed());
}

ANYIO_TEST(tls_stream, a_server_without_tickets_resumes_nothing) {
    contexts with;
    with.server.set_session_tickets(false);
    auto [client, server] = co_await memory_pair(with);
    co_await server.send("x");
    (void)co_await client.receive();
    EXPECT_TRUE(client.session().empty());
}

ANYIO_TEST(tls_stream, records_that_lie_ready_do_not_keep_others_waiting) {
    for (const tls_version version : versions) {
        const contexts with(version);
        auto [client, server] = co_await memory_pair(with);
        auto send = [&, &s = server]() -> task<> {
            for (int i = 0; i < 1'000; ++i)
                co_await s.send("x");
            for (int i = 0; i < 1'000; ++i)
                co_await s.send("");
        };
        co_await send();
        co_await support::expect_lets_others_run(
            [&, &c = client]() -> task<> { (void)co_await c.receive(); }, "receive"
        );
        co_await support::expect_lets_others_run(
            [&, &s = server]() -> task<> { co_await s.send(""); }, "send of nothing"
        );
        co_await client.aclose();
        co_await support::expect_lets_others_run(
            [&, &c = client]() -> task<> { co_await c.aclose(); }, "aclose"
        );
    }
}
