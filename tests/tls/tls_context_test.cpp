// SPDX-License-Identifier: MIT
#include <anyio/streams/tls_context.hpp>

#include "tls/tls_pairs.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <unistd.h>

using namespace anyio;
using support::contexts;
using ::testing::HasSubstr;
using ::testing::StartsWith;

namespace {

/// A file that is there as long as this.
class temporary_pem {
public:
    explicit temporary_pem(const std::string& text) {
        const int fd = ::mkstemp(path_.data());
        ::close(fd);
        std::ofstream(path_) << text;
    }

    ~temporary_pem() { std::remove(path_.c_str()); }

    temporary_pem(const temporary_pem&) = delete;  // one file, one owner
    temporary_pem& operator=(const temporary_pem&) = delete;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    std::string path_ = "/tmp/anyio_tls_XXXXXX";
};

template <class F>
std::string refused(F function) {
    return message_thrown_by<tls_configuration_error>(function);
}

std::string encrypted(const std::string& key, const char* password) {
    BIO* from = BIO_new_mem_buf(key.data(), static_cast<int>(key.size()));
    EVP_PKEY* read = PEM_read_bio_PrivateKey(from, nullptr, nullptr, nullptr);
    BIO* to = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(
        to,
        read,
        EVP_aes_128_cbc(),
        password,
        static_cast<int>(std::strlen(password)),
        nullptr,
        nullptr
    );
    char* data = nullptr;
    const long size = BIO_get_mem_data(to, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(from);
    BIO_free(to);
    EVP_PKEY_free(read);
    return text;
}

}  // namespace

TEST(tls_context, says_which_file_it_cannot_read) {
    auto context = tls_context::server();
    EXPECT_THAT(
        refused([&] { context.use_certificate_file("/no/such.pem", "/no/such.key"); }),
        StartsWith("tls_context::use_certificate_file /no/such.pem: no such file or "
                   "directory (ENOENT)")
    );
    EXPECT_THAT(
        refused([&] { context.trust_file("/no/such.pem"); }),
        HasSubstr("tls_context::trust_file /no/such.pem")
    );
}

TEST(tls_context, refuses_what_is_no_certificate) {
    auto context = tls_context::server();
    const auto who = support::identity_for("localhost");
    EXPECT_THAT(
        refused([&] { context.use_certificate("nonsense", who.key); }),
        HasSubstr("no start line")
    );
    EXPECT_THAT(
        refused([&] { context.use_certificate(who.certificate, "nonsense"); }),
        StartsWith("tls_context::use_certificate: ")
    );
    EXPECT_THAT(refused([&] { context.trust(""); }), HasSubstr("no start line"));
    std::string damaged = who.certificate;
    damaged.replace(100, 10, "AAAAAAAAAA");
    EXPECT_THAT(
        refused([&] { context.trust(damaged); }), StartsWith("tls_context::trust: ")
    );
}

TEST(tls_context, refuses_a_key_of_somebody_else) {
    auto context = tls_context::server();
    const auto who = support::identity_for("localhost");
    const auto other = support::identity_for("localhost");
    EXPECT_THAT(
        refused([&] { context.use_certificate(who.certificate, other.key); }),
        HasSubstr("key values mismatch")
    );
}

TEST(tls_context, takes_a_password_and_asks_nobody_for_one) {
    const auto who = support::identity_for("localhost");
    const std::string key = encrypted(who.key, "secret");
    auto context = tls_context::server();
    EXPECT_NE(
        refused([&] { context.use_certificate(who.certificate, key); }),
        "nothing thrown"
    );
    EXPECT_NE(
        refused([&] { context.use_certificate(who.certificate, key, "wrong"); }),
        "nothing thrown"
    );
    context.use_certificate(who.certificate, key, "secret");
}

TEST(tls_context, refuses_ciphers_nobody_knows) {
    auto context = tls_context::client();
    EXPECT_THAT(
        refused([&] { context.set_ciphers("ROT13"); }),
        StartsWith("tls_context::set_ciphers ROT13: no cipher match")
    );
    EXPECT_THAT(
        refused([&] { context.set_ciphersuites("ROT13"); }),
        StartsWith("tls_context::set_ciphersuites ROT13: ")
    );
}

TEST(tls_context, refuses_protocols_without_a_name) {
    auto context = tls_context::client();
    EXPECT_THROW(context.alpn("h2", ""), usage_error);
    EXPECT_THROW(context.alpn(std::string(256, 'x')), usage_error);
}

ANYIO_TEST(tls_context, reads_files) {
    const auto who = support::identity_for("localhost");
    const temporary_pem both(who.certificate + who.key);
    const temporary_pem authority(support::test_authority().certificate);
    contexts of;
    of.server = tls_context::server();
    of.server.use_certificate_file(both.path(), both.path());
    of.client = tls_context::client();
    of.client.trust_file(authority.path());
    auto ends = co_await support::memory_pair(of);
    co_await ends.first.send("hello");
    const std::string got = co_await support::receive_exactly(ends.second, 5);
    EXPECT_EQ(got, "hello");
}

ANYIO_TEST(tls_context, chooses_the_ciphers_it_is_told_to) {
    contexts old(tls_version::tls1_2);
    old.client.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384");
    auto ends = co_await support::memory_pair(old);
    EXPECT_EQ(
        extra<tls_attribute::cipher>(ends.first), "ECDHE-ECDSA-AES256-GCM-SHA384"
    );
    contexts now;
    now.server.set_ciphersuites("TLS_CHACHA20_POLY1305_SHA256");
    auto others = co_await support::memory_pair(now);
    EXPECT_EQ(
        extra<tls_attribute::cipher>(others.first), "TLS_CHACHA20_POLY1305_SHA256"
    );
}

ANYIO_TEST(tls_context, speaks_no_protocol_if_none_is_common) {
    contexts of;
    of.client.alpn("h2");
    of.server.alpn("spdy/3");
    auto ends = co_await support::memory_pair(of);
    EXPECT_EQ(extra<tls_attribute::alpn_protocol>(ends.first), "");
}

ANYIO_TEST(tls_context, gives_its_keys_away_only_if_told_to) {
    ::setenv("SSLKEYLOGFILE", "/tmp/anyio_must_not_be_written", 1);
    std::vector<std::string> lines;
    contexts of;
    of.client.insecure_log_keys([&](std::string_view line) { lines.emplace_back(line); }
    );
    auto ends = co_await support::memory_pair(of);
    EXPECT_GE(lines.size(), 4u);
    for (const std::string& line : lines)
        EXPECT_THAT(line, ::testing::MatchesRegex("[A-Z_0-9]+ [0-9a-f]+ [0-9a-f]+"));
    EXPECT_NE(::access("/tmp/anyio_must_not_be_written", F_OK), 0);
    ::unsetenv("SSLKEYLOGFILE");
}

ANYIO_TEST(tls_context, is_for_one_side) {
    contexts of;
    auto below = anyio::testing::memory_stream_pair();
    auto server = [&](const tls_context& context) {
        return message_thrown_by<usage_error>([&] {
            static_cast<void>(wrap_tls(std::move(below.first), {.context = &context}));
        });
    };
    EXPECT_THAT(server(of.client), HasSubstr("a server with the context of a client"));
    EXPECT_THAT(server(tls_context::server()), HasSubstr("has no certificate"));
    EXPECT_THAT(
        message_thrown_by<usage_error>([&] {
            static_cast<void>(wrap_tls(std::move(below.second), {}));
        }),
        HasSubstr("needs a context with a certificate")
    );
    EXPECT_THAT(
        message_thrown_by<usage_error>([&] {
            auto more = anyio::testing::memory_stream_pair();
            static_cast<void>(wrap_tls(
                std::move(more.first), {.hostname = "localhost", .context = &of.server}
            ));
        }),
        HasSubstr("a client with the context of a server")
    );
    co_return;
}
