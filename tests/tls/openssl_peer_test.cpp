// SPDX-License-Identifier: MIT
/// @file
/// A peer that does what ours never would: OpenSSL driven by hand.

#include "tls/tls_pairs.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <limits>
#include <memory>
#include <optional>

using namespace anyio;
using support::memory_stream;
using ::testing::HasSubstr;

namespace {

/// A client that verifies nothing, or a server, on one end of a connection in memory.
class hand_made_peer {
public:
    hand_made_peer(memory_stream below, int version, bool is_server)
        : below_(std::move(below)), context_(SSL_CTX_new(TLS_method())) {
        SSL_CTX_set_min_proto_version(context_, version);
        SSL_CTX_set_max_proto_version(context_, version);
        SSL_CTX_clear_options(context_, SSL_OP_NO_RENEGOTIATION);
        if (is_server)
            use(support::identity_for("localhost"));
        ssl = SSL_new(context_);
        if (is_server)
            SSL_set_accept_state(ssl);
        else
            SSL_set_connect_state(ssl);
        SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    }

    hand_made_peer(const hand_made_peer&) = delete;  // it owns an SSL
    hand_made_peer& operator=(const hand_made_peer&) = delete;

    ~hand_made_peer() {
        SSL_free(ssl);
        SSL_CTX_free(context_);
    }

    /// Sends what OpenSSL has to send.
    task<> flush() {
        char buffer[65536];
        for (;;) {
            const int size = BIO_read(SSL_get_wbio(ssl), buffer, sizeof(buffer));
            if (size <= 0)
                co_return;
            const std::string_view ciphertext(buffer, static_cast<std::size_t>(size));
            co_await below_.send(ciphertext);
        }
    }

    task<> fill() {
        const bytes chunk = co_await below_.receive();
        BIO_write(SSL_get_rbio(ssl), chunk.data(), static_cast<int>(chunk.size()));
    }

    task<> shake_hands() {
        while (SSL_do_handshake(ssl) != 1) {
            co_await flush();
            co_await fill();
        }
        co_await flush();
    }

    task<> send(std::string text) {
        EXPECT_GT(SSL_write(ssl, text.data(), static_cast<int>(text.size())), 0);
        co_await flush();
    }

    SSL* ssl = nullptr;

private:
    void use(const support::identity& who) {
        BIO* text = BIO_new_mem_buf(who.certificate.data(), -1);
        X509* certificate = PEM_read_bio_X509(text, nullptr, nullptr, nullptr);
        EXPECT_EQ(SSL_CTX_use_certificate(context_, certificate), 1);
        X509_free(certificate);
        BIO_free(text);
        text = BIO_new_mem_buf(who.key.data(), -1);
        EVP_PKEY* key = PEM_read_bio_PrivateKey(text, nullptr, nullptr, nullptr);
        EXPECT_EQ(SSL_CTX_use_PrivateKey(context_, key), 1);
        EVP_PKEY_free(key);
        BIO_free(text);
    }

    memory_stream below_;
    SSL_CTX* context_;
};

struct peers {
    std::unique_ptr<hand_made_peer> theirs;
    std::optional<support::tls_memory_stream> ours;
};

/// @param room  for what we send and the peer has not read
task<peers> connect(
    int version,
    bool we_are_client,
    std::size_t room = std::numeric_limits<std::size_t>::max()
) {
    auto below = anyio::testing::memory_stream_pair(room);
    const support::contexts of;
    peers both;
    both.theirs = std::make_unique<hand_made_peer>(
        std::move(below.first), version, we_are_client
    );
    auto shake = [&](task_group& tg) {
        tg.start_soon([&]() -> task<> { co_await both.theirs->shake_hands(); });
        tg.start_soon([&]() -> task<> {
            auto made = co_await wrap_tls(
                std::move(below.second),
                we_are_client ? of.for_client() : of.for_server()
            );
            both.ours.emplace(std::move(made));
        });
    };
    co_await with(create_task_group(), shake);
    co_return std::move(both);
}

}  // namespace

ANYIO_TEST(tls_openssl_peer, may_ask_for_new_keys_as_often_as_it_likes) {
    auto both = co_await connect(TLS1_3_VERSION, false);
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(SSL_key_update(both.theirs->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        co_await both.theirs->send("again");
        const std::string got = co_await support::receive_exactly(*both.ours, 5);
        EXPECT_EQ(got, "again");
    }
    co_await both.ours->send("with the newest");
    co_await both.theirs->fill();
    char buffer[100];
    EXPECT_EQ(SSL_read(both.theirs->ssl, buffer, sizeof(buffer)), 15);
}

// Not with the next send: the peer waits for an answer, and we perhaps for its data.
ANYIO_TEST(tls_openssl_peer, cannot_renegotiate_and_is_told_so_at_once) {
    for (const bool we_are_client : {false, true}) {
        auto both = co_await connect(TLS1_2_VERSION, we_are_client);
        EXPECT_EQ(SSL_renegotiate(both.theirs->ssl), 1);
        (void)SSL_do_handshake(both.theirs->ssl);
        co_await both.theirs->flush();
        const auto refused = co_await as_outcome(both.ours->receive());
        EXPECT_TRUE(is_error<tls_error>(refused.error()));
        EXPECT_THAT(
            message_of(refused.error()), HasSubstr("asked for a renegotiation")
        );
        co_await both.theirs->fill();
        char buffer[100];
        EXPECT_LE(SSL_read(both.theirs->ssl, buffer, sizeof(buffer)), 0);
        EXPECT_EQ(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_NO_RENEGOTIATION);
        ERR_clear_error();
        const auto sent = co_await as_outcome(both.ours->send("more"));
        EXPECT_TRUE(is_error<tls_error>(sent.error()));
    }
}

namespace {

constexpr std::size_t narrow = 4096;

/// Sends messages that ask for new keys, with some data behind every so many of them,
/// until the connection breaks. How many.
task<int> ask_for_keys(hand_made_peer& peer, int data_every) {
    for (int count = 0;; ++count) {
        if (count == 100'000)
            co_return count;
        EXPECT_EQ(SSL_key_update(peer.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        EXPECT_EQ(SSL_do_handshake(peer.ssl), 1);
        if (data_every != 0 && count % data_every == 0) {
            EXPECT_EQ(SSL_write(peer.ssl, "x", 1), 1);
        }
        const auto sent = co_await as_outcome(peer.flush());
        if (!sent)
            co_return count;
        co_await lowlevel::checkpoint();
    }
}

/// What becomes of our receives, and of a send that the peer does not read.
struct flooded {
    outcome<void> received;
    outcome<void> sent;
    int messages = 0;
};

task<flooded> flood(bool we_are_client, bool we_send, int data_every) {
    auto both = co_await connect(TLS1_3_VERSION, we_are_client, narrow);
    flooded all;
    auto receive_all = [&]() -> task<> {
        while (co_await both.ours->next()) {
        }
    };
    const std::string much(1'000'000, 'x');
    auto body = [&](task_group& tg) -> task<> {
        if (we_send) {
            tg.start_soon([&]() -> task<> {
                all.sent = co_await as_outcome(both.ours->send(much));
            });
        }
        tg.start_soon([&]() -> task<> {
            all.received = co_await as_outcome(receive_all());
        });
        all.messages = co_await ask_for_keys(*both.theirs, data_every);
    };
    co_await with(create_task_group(), body);
    co_return std::move(all);
}

}  // namespace

ANYIO_TEST(tls_openssl_peer, that_floods_us_with_messages_without_data_is_cut_off) {
    for (const bool we_are_client : {false, true}) {
        for (const bool we_send : {false, true}) {
            const flooded all = co_await flood(we_are_client, we_send, 0);
            EXPECT_LT(all.messages, 1000);
            EXPECT_TRUE(is_error<tls_error>(all.received.error()));
            EXPECT_THAT(
                message_of(all.received.error()),
                HasSubstr("one message without data after the other")
            );
            EXPECT_EQ(is_error<tls_error>(all.sent.error()), we_send)
                << message_of(all.sent.error());
        }
    }
}

ANYIO_TEST(tls_openssl_peer, that_wants_answers_and_reads_nothing_is_cut_off) {
    for (const bool we_are_client : {false, true}) {
        for (const bool we_send : {false, true}) {
            const flooded all = co_await flood(we_are_client, we_send, 10);
            EXPECT_LT(all.messages, 5000);
            EXPECT_TRUE(is_error<tls_error>(all.received.error()));
            EXPECT_THAT(
                message_of(all.received.error()),
                HasSubstr("the peer asks for more answers than it takes")
            );
            EXPECT_EQ(is_error<tls_error>(all.sent.error()), we_send)
                << message_of(all.sent.error());
        }
    }
}

ANYIO_TEST(tls_openssl_peer, whose_messages_are_a_flood_does_not_keep_others_waiting) {
    auto both = co_await connect(TLS1_3_VERSION, false);
    for (int i = 0; i < 250; ++i) {
        EXPECT_EQ(SSL_key_update(both.theirs->ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        EXPECT_EQ(SSL_do_handshake(both.theirs->ssl), 1);
    }
    co_await both.theirs->send("data");
    int turns_of_others = 0;
    auto body = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            for (;;) {
                ++turns_of_others;
                co_await lowlevel::checkpoint();
            }
        });
        const std::string got = co_await support::receive_exactly(*both.ours, 4);
        EXPECT_EQ(got, "data");
        tg.cancel();
    };
    co_await with(create_task_group(), body);
    EXPECT_GE(turns_of_others, 1);
}
