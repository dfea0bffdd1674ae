// SPDX-License-Identifier: MIT
/// @file
/// TLS beside OpenSSL alone, in one thread and in the same run: 16 KiB pieces through a
/// connection on the loopback interface, and handshakes in memory.

#include <anyio/streams/tls.hpp>

#include <anyio/anyio.hpp>
#include <anyio/testing/memory_stream.hpp>
#include "support/certificates.hpp"

#include <benchmark/benchmark.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using anyio::socket_stream;
using anyio::task;
using anyio::task_group;
using benchmark::State;

constexpr std::size_t piece = 16'384;
constexpr int pieces = 64;  // of one iteration

const support::identity& server_identity() {
    static const support::identity made = support::identity_for("localhost");
    return made;
}

void require(bool holds) {
    if (!holds)
        std::abort();
}

// --- OpenSSL alone ------------------------------------------------------------------

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

void raw_pieces(State& state) {
    raw_pair ends;
    ends.shake_hands_in_memory();
    const auto [client, server] = tcp_pair();
    SSL_set_fd(ends.client, client);
    SSL_set_fd(ends.server, server);
    const std::string data(piece, 'x');
    std::string got(piece, '\0');
    for (auto _ : state) {
        for (int i = 0; i < pieces; ++i) {
            require(SSL_write(ends.client, data.data(), piece) == piece);
            require(SSL_read(ends.server, got.data(), piece) == piece);
        }
    }
    state.SetBytesProcessed(state.iterations() * std::int64_t{piece} * pieces);
    ::close(client);
    ::close(server);
}

void raw_handshake(State& state) {
    for (auto _ : state) {
        raw_pair ends;
        ends.shake_hands_in_memory();
    }
    state.SetItemsProcessed(state.iterations());
}

// --- ours ---------------------------------------------------------------------------

struct contexts {
    contexts()
        : client(anyio::tls_context::client()), server(anyio::tls_context::server()) {
        client.trust(support::test_authority().certificate);
        server.use_certificate(server_identity().certificate, server_identity().key);
    }

    anyio::tls_context client;
    anyio::tls_context server;
};

template <class Transport>
task<std::pair<anyio::tls_stream<Transport>, anyio::tls_stream<Transport>>>
secured(std::pair<Transport, Transport> below, const contexts& of) {
    auto [client, server] = co_await anyio::gather(
        anyio::wrap_tls(
            std::move(below.first), {.hostname = "localhost", .context = &of.client}
        ),
        anyio::wrap_tls(std::move(below.second), {.context = &of.server})
    );
    co_return std::pair(std::move(client), std::move(server));
}

template <class Stream>
task<> send_pieces(Stream& to, const std::string& data) {
    for (int i = 0; i < pieces; ++i)
        co_await to.send(data);
}

template <class Stream>
task<> receive_pieces(Stream& from, std::string& into) {
    for (std::size_t left = piece * pieces; left != 0;) {
        const std::size_t got =
            co_await from.receive_some(anyio::as_writable_bytes(into));
        left -= got;
    }
}

template <class Transport>
task<> pass_pieces(State& state) {
    auto listener = co_await anyio::create_tcp_listener({.local_host = "127.0.0.1"});
    auto one = co_await anyio::connect_tcp("127.0.0.1", listener.local_port());
    auto other = co_await listener.accept();
    const contexts of;
    auto ends = co_await secured(
        std::pair<Transport, Transport>(std::move(one), std::move(other)), of
    );
    const std::string data(piece, 'x');
    std::string got(piece, '\0');
    for (auto _ : state) {
        auto both = [&](task_group& tg) {
            tg.start_soon([&]() -> task<> { co_await send_pieces(ends.first, data); });
            tg.start_soon([&]() -> task<> {
                co_await receive_pieces(ends.second, got);
            });
        };
        co_await anyio::with(anyio::create_task_group(), both);
    }
    state.SetBytesProcessed(state.iterations() * std::int64_t{piece} * pieces);
}

void tls_pieces(State& state) {
    anyio::run(pass_pieces<socket_stream>, std::ref(state));
}

void tls_pieces_erased(State& state) {
    anyio::run(pass_pieces<anyio::abc::byte_stream>, std::ref(state));
}

task<> shake_hands(State& state) {
    const contexts of;
    for (auto _ : state) {
        auto below = anyio::testing::memory_stream_pair();
        auto ends = co_await secured(std::move(below), of);
        benchmark::DoNotOptimize(ends);
    }
    state.SetItemsProcessed(state.iterations());
}

void tls_handshake(State& state) {
    anyio::run(shake_hands, std::ref(state));
}

BENCHMARK(raw_pieces);
BENCHMARK(tls_pieces);
BENCHMARK(tls_pieces_erased);
BENCHMARK(raw_handshake);
BENCHMARK(tls_handshake);

}  // namespace
