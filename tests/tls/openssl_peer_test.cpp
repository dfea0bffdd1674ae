// SPDX-License-Identifier: MIT
/// @file
/// A peer that does what ours never would: OpenSSL driven by hand.

#include "tls/tls_pairs.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

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

task<peers> connect(int version, bool we_are_client) {
    auto below = anyio::testing::memory_stream_pair();
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

ANYIO_TEST(tls_openssl_peer, cannot_renegotiate) {
    auto both = co_await connect(TLS1_2_VERSION, false);
    EXPECT_EQ(SSL_renegotiate(both.theirs->ssl), 1);
    (void)SSL_do_handshake(both.theirs->ssl);
    co_await both.theirs->flush();
    const auto nothing =
        co_await move_on_after(std::chrono::seconds(1), both.ours->receive());
    EXPECT_FALSE(nothing) << "a handshake is no data";
    co_await both.ours->send("the refusal goes out with the next data");
    co_await both.theirs->fill();
    char buffer[100];
    EXPECT_LE(SSL_read(both.theirs->ssl, buffer, sizeof(buffer)), 0);
    EXPECT_EQ(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_NO_RENEGOTIATION);
    ERR_clear_error();
}

ANYIO_TEST(tls_openssl_peer, cannot_make_us_keep_answers_without_end) {
    auto both = co_await connect(TLS1_2_VERSION, true);
    outcome<bytes> received;
    auto body = [&](task_group& tg) -> task<> {
        tg.start_soon([&]() -> task<> {
            received = co_await as_outcome(both.ours->receive());
        });
        // Each wish to renegotiate is answered by a warning of 31 bytes.
        for (int i = 0; i < 3000; ++i) {
            (void)SSL_renegotiate(both.theirs->ssl);
            (void)SSL_do_handshake(both.theirs->ssl);
            co_await both.theirs->flush();
            if (i % 100 == 0)
                co_await lowlevel::checkpoint();
        }
        co_await wait_all_tasks_blocked();
        tg.cancel();
    };
    co_await with(create_task_group(), body);
    EXPECT_TRUE(is_error<tls_error>(received.error()));
    EXPECT_THAT(
        message_of(received.error()), HasSubstr("the peer asks for more answers")
    );
}
