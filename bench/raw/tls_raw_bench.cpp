// SPDX-License-Identifier: MIT
/// @file
/// OpenSSL alone, in one thread: 16 KiB pieces through a connection on the loopback
/// interface, and handshakes in memory.

#include "support/certificates.hpp"

#include <benchmark/benchmark.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using benchmark::State;

constexpr std::size_t piece = 16'384;

const support::identity& server_identity() {
    static const support::identity made = support::identity_for("localhost");
    return made;
}

void require(bool holds) {
    if (!holds)
        std::abort();
}

BIO* text_bio(const std::string& text) {
    return BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
}

SSL_CTX* raw_server_context() {
    SSL_CTX* made = SSL_CTX_new(TLS_server_method());
    BIO* certificate = text_bio(server_identity().certificate);
    BIO* key = text_bio(server_identity().key);
    X509* own = PEM_read_bio_X509(certificate, nullptr, nullptr, nullptr);
    EVP_PKEY* secret = PEM_read_bio_PrivateKey(key, nullptr, nullptr, nullptr);
    require(SSL_CTX_use_certificate(made, own) == 1);
    require(SSL_CTX_use_PrivateKey(made, secret) == 1);
    X509_free(own);
    EVP_PKEY_free(secret);
    BIO_free(certificate);
    BIO_free(key);
    return made;
}

SSL_CTX* raw_client_context() {
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    BIO* from = text_bio(support::test_authority().certificate);
    X509* authority = PEM_read_bio_X509(from, nullptr, nullptr, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(made), authority);
    X509_free(authority);
    BIO_free(from);
    SSL_CTX_set_verify(made, SSL_VERIFY_PEER, nullptr);
    return made;
}

struct raw_pair {
    raw_pair() : client(SSL_new(client_context())), server(SSL_new(server_context())) {
        SSL_set_connect_state(client);
        SSL_set_accept_state(server);
        require(SSL_set1_host(client, "localhost") == 1);
    }

    ~raw_pair() {
        SSL_free(client);
        SSL_free(server);
    }

    raw_pair(const raw_pair&) = delete;
    raw_pair& operator=(const raw_pair&) = delete;

    static SSL_CTX* client_context() {
        static SSL_CTX* const made = raw_client_context();
        return made;
    }

    static SSL_CTX* server_context() {
        static SSL_CTX* const made = raw_server_context();
        return made;
    }

    void shake_hands_in_memory() {
        BIO* one = nullptr;
        BIO* other = nullptr;
        require(BIO_new_bio_pair(&one, 65536, &other, 65536) == 1);
        SSL_set_bio(client, one, one);
        SSL_set_bio(server, other, other);
        for (bool done = false; !done;) {
            const int here = SSL_do_handshake(client);
            const int there = SSL_do_handshake(server);
            done = here == 1 && there == 1;
        }
    }

    SSL* client;
    SSL* server;
};

std::array<int, 2> tcp_pair() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    require(::bind(listener, reinterpret_cast<sockaddr*>(&at), size) == 0);
    require(::listen(listener, 1) == 0);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size);
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(::connect(client, reinterpret_cast<sockaddr*>(&at), size) == 0);
    const int server = ::accept(listener, nullptr, nullptr);
    ::close(listener);
    return {client, server};
}

void M9_tls_16k(State& state) {
    raw_pair ends;
    ends.shake_hands_in_memory();
    const auto [client, server] = tcp_pair();
    SSL_set_fd(ends.client, client);
    SSL_set_fd(ends.server, server);
    const std::string data(piece, 'x');
    std::string got(piece, '\0');
    for (auto _ : state) {
        require(SSL_write(ends.client, data.data(), piece) == piece);
        require(SSL_read(ends.server, got.data(), piece) == piece);
    }
    state.SetItemsProcessed(state.iterations());
    ::close(client);
    ::close(server);
}

void M9_tls_handshake(State& state) {
    for (auto _ : state) {
        raw_pair ends;
        ends.shake_hands_in_memory();
    }
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK(M9_tls_16k);
BENCHMARK(M9_tls_handshake);

}  // namespace
