// SPDX-License-Identifier: MIT
/// @file
/// TLS over a transport that cuts, ends or changes what it carries: the plaintext is the
/// right one or there is an error, whatever happens.

#include "tls/tapped_stream.hpp"
#include "tls/tls_pairs.hpp"

#include <array>
#include <random>

using namespace anyio;
using support::contexts;
using support::tap;
using support::tapped_stream;
using ::testing::HasSubstr;

namespace {

using tapped_pair = std::pair<tapped_stream, tapped_stream>;
using tls_tapped = tls_stream<tapped_stream>;

constexpr tls_version versions[] = {tls_version::tls1_2, tls_version::tls1_3};

/// What goes to the client, and what to the server.
struct taps {
    std::shared_ptr<tap> client = std::make_shared<tap>();
    std::shared_ptr<tap> server = std::make_shared<tap>();
};

tapped_pair transports(const taps& with) {
    auto below = anyio::testing::memory_stream_pair();
    return {
        tapped_stream(std::move(below.first), with.client),
        tapped_stream(std::move(below.second), with.server)
    };
}

/// All that a client gets until the end, and how that came.
struct transcript {
    std::string text;
    std::exception_ptr error;
};

task<transcript> listen_to(tls_tapped& stream) {
    transcript all;
    for (;;) {
        const auto got = co_await as_outcome(stream.next());
        all.error = got.error();
        if (!got || !got.value())
            break;
        all.text += got.value()->str();
    }
    co_return all;
}

constexpr std::string_view hello = "hello, ";
constexpr std::string_view world = "world";

/// A server says two records and goodbye, while the client's tap does what it does.
task<transcript> say_hello(
    const contexts& with,
    std::shared_ptr<tap> of,
    void (*set)(tap&, std::size_t),
    std::size_t at
) {
    taps both;
    both.client = of;
    auto ends = co_await support::connect_over(transports(both), with);
    set(*of, at);
    co_await ends.second.send(hello);
    co_await ends.second.send(world);
    co_await ends.second.aclose();
    co_return co_await listen_to(ends.first);
}

}  // namespace

ANYIO_TEST(tls_records, however_they_are_cut_the_plaintext_is_the_same) {
    for (const tls_version version : versions) {
        for (const std::size_t at_once : {1u, 2u, 3u, 5u, 17u, 1000u}) {
            const contexts with(version);
            taps both;
            both.client->at_once = both.server->at_once = at_once;
            auto ends = co_await support::connect_over(transports(both), with);
            const std::string sent = std::string(17'000, 'a') + "bcd";
            co_await ends.second.send(sent);
            co_await ends.first.send("and back");
            const std::string got =
                co_await support::receive_exactly(ends.first, sent.size());
            EXPECT_TRUE(got == sent) << at_once;
            const std::string back = co_await support::receive_exactly(ends.second, 8);
            EXPECT_EQ(back, "and back");
            co_await ends.second.aclose();
            const auto end = co_await ends.first.next();
            EXPECT_FALSE(end);
        }
    }
}

ANYIO_TEST(tls_records, an_end_at_any_byte_but_the_last_is_an_error) {
    for (const tls_version version : versions) {
        const contexts with(version);
        auto whole = std::make_shared<tap>();
        const auto all = co_await say_hello(
            with, whole, [](tap& of, std::size_t) { of.passed = 0; }, 0
        );
        EXPECT_EQ(all.text, "hello, world");
        EXPECT_FALSE(all.error) << message_of(all.error);
        EXPECT_GT(whole->passed, 60u);
        for (std::size_t at = 0; at < whole->passed; ++at) {
            auto cut = std::make_shared<tap>();
            const auto part = co_await say_hello(
                with,
                cut,
                [](tap& of, std::size_t n) { of.end_after = of.passed + n; },
                at
            );
            EXPECT_TRUE(is_error<tls_error>(part.error))
                << at << " of " << whole->passed;
            EXPECT_THAT(message_of(part.error), HasSubstr("ended without a goodbye"));
            EXPECT_TRUE(std::string_view("hello, world").starts_with(part.text));
        }
    }
}

ANYIO_TEST(tls_records, the_error_stays) {
    auto cut = std::make_shared<tap>();
    const contexts with;
    taps both;
    both.client = cut;
    auto ends = co_await support::connect_over(transports(both), with);
    cut->end_after = cut->passed;
    for (int i = 0; i < 3; ++i) {
        const auto got = co_await as_outcome(ends.first.receive());
        EXPECT_TRUE(is_error<tls_error>(got.error()));
    }
    const auto sent = co_await as_outcome(ends.first.send("a"));
    EXPECT_TRUE(is_error<tls_error>(sent.error()));
}

ANYIO_TEST(tls_records, who_does_not_insist_takes_an_end_between_records) {
    for (const tls_version version : versions) {
        const contexts with(version);
        taps both;
        tls_options client = with.for_client();
        client.standard_compatible = false;
        auto ended =
            co_await support::shake_hands(transports(both), client, with.for_server());
        auto stream = std::move(ended.client).value();
        auto server = std::move(ended.server).value();
        EXPECT_FALSE(extra<tls_attribute::standard_compatible>(stream));
        co_await server.send("all");
        {
            auto gone = std::move(server);  // without a goodbye
        }
        const auto all = co_await listen_to(stream);
        EXPECT_EQ(all.text, "all");
        EXPECT_FALSE(all.error) << message_of(all.error);
    }
}

ANYIO_TEST(tls_records, but_not_inside_of_one) {
    const contexts with;
    taps both;
    tls_options client = with.for_client();
    client.standard_compatible = false;
    auto ended =
        co_await support::shake_hands(transports(both), client, with.for_server());
    auto stream = std::move(ended.client).value();
    auto server = std::move(ended.server).value();
    both.client->passed = 0;
    both.client->end_after = 7;
    co_await server.send("all");
    const auto all = co_await listen_to(stream);
    EXPECT_EQ(all.text, "");
    EXPECT_TRUE(is_error<tls_error>(all.error));
}

ANYIO_TEST(tls_records, a_handshake_that_ends_at_any_byte_fails) {
    for (const tls_version version : versions) {
        const contexts with(version);
        taps counting;
        (void)co_await support::connect_over(transports(counting), with);
        const std::size_t whole = counting.client->passed;
        EXPECT_GT(whole, 500u);
        for (std::size_t at = 0; at < whole; at += 11) {
            taps both;
            both.client->end_after = at;
            const auto ended = co_await support::shake_hands(
                transports(both), with.for_client(), with.for_server()
            );
            EXPECT_TRUE(is_error<broken_resource_error>(ended.client.error())) << at;
            EXPECT_TRUE(ended.server.has_error() || version == tls_version::tls1_2);
        }
    }
}

// Bits that were changed on the way: a fixed seed, so that a failure comes again.
ANYIO_TEST(tls_records, a_changed_bit_never_becomes_plaintext) {
    std::minstd_rand random(20'240'229);
    const std::array<contexts, 2> with{contexts(versions[0]), contexts(versions[1])};
    for (std::size_t i = 0; i < 120; ++i) {
        auto bent = std::make_shared<tap>();
        bent->flip_bits = std::byte{1} << (random() % 8);
        const std::size_t at = random() % 60;
        const auto got = co_await say_hello(
            with[i % 2],
            bent,
            [](tap& of, std::size_t n) { of.flip_at = of.passed + n; },
            at
        );
        EXPECT_TRUE(is_error<tls_error>(got.error)) << "byte " << at;
        EXPECT_TRUE(std::string_view("hello, world").starts_with(got.text)) << got.text;
    }
}

ANYIO_TEST(tls_records, a_changed_handshake_never_succeeds_with_other_contents) {
    std::minstd_rand random(7);
    const std::array<contexts, 2> all{contexts(versions[0]), contexts(versions[1])};
    for (std::size_t i = 0; i < 120; ++i) {
        const contexts& with = all[i % 2];
        taps both;
        tap& bent = i % 3 == 0 ? *both.server : *both.client;
        bent.flip_bits = std::byte{1} << (random() % 8);
        bent.flip_at = random() % 400;
        auto ended = co_await support::shake_hands(
            transports(both), with.for_client(), with.for_server()
        );
        // TLS 1.3 does not protect the version in the header of a record.
        if (ended.client && ended.server) {
            auto client = std::move(ended.client).value();
            auto server = std::move(ended.server).value();
            co_await server.send("whole");
            const std::string got = co_await support::receive_exactly(client, 5);
            EXPECT_EQ(got, "whole");
        }
    }
}

ANYIO_TEST(tls_records, noise_is_no_handshake) {
    std::minstd_rand random(42);
    const tls_context context = support::server_context();
    for (int i = 0; i < 300; ++i) {
        auto below = anyio::testing::memory_stream_pair();
        std::string noise(1 + random() % 200, '\0');
        for (char& c : noise)
            c = static_cast<char>(random());
        if (i % 2 == 0)
            noise.replace(0, 3, "\x16\x03\x01");  // the beginning is right
        co_await below.first.send(noise);
        co_await below.first.send_eof();
        const auto ended =
            co_await as_outcome(wrap_tls(std::move(below.second), {.context = &context})
            );
        EXPECT_TRUE(is_error<tls_error>(ended.error())) << message_of(ended.error());
    }
}

ANYIO_TEST(tls_records, a_client_that_speaks_http_is_told_off) {
    const tls_context context = support::server_context();
    auto below = anyio::testing::memory_stream_pair();
    co_await below.first.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto ended =
        co_await as_outcome(wrap_tls(std::move(below.second), {.context = &context}));
    EXPECT_THAT(message_of(ended.error()), HasSubstr("http request"));
}

ANYIO_TEST(tls_records, the_peer_is_told_why_we_go) {
    auto bent = std::make_shared<tap>();
    const contexts with;
    taps both;
    both.client = bent;
    auto ends = co_await support::connect_over(transports(both), with);
    bent->flip_at = bent->passed + 300;  // after the tickets
    bent->flip_bits = std::byte{1};
    co_await ends.second.send(std::string(1000, 'x'));
    const auto got = co_await as_outcome(support::receive_exactly(ends.first, 1000));
    EXPECT_TRUE(is_error<tls_error>(got.error()));
    const auto told = co_await as_outcome(ends.second.receive());
    EXPECT_THAT(message_of(told.error()), HasSubstr("the peer refused: "));
}
