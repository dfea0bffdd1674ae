// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What the tests of TLS share: contexts that trust each other, and pairs of streams.

#include <anyio/streams/tls.hpp>
#include <anyio/testing/memory_stream.hpp>
#include "support/anyio_test.hpp"
#include "support/certificates.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace support {

using anyio::testing::memory_stream;
using tls_memory_stream = anyio::tls_stream<memory_stream>;

/// A server's context with a certificate of the test's authority for `localhost`.
inline anyio::tls_context server_context() {
    static const identity localhost = make_identity(
        {.common_name = "localhost", .dns = {"localhost"}, .addresses = {"127.0.0.1"}},
        &test_authority()
    );
    auto context = anyio::tls_context::server();
    context.use_certificate(localhost.certificate, localhost.key);
    return context;
}

inline anyio::tls_context server_context(const identity& who) {
    auto context = anyio::tls_context::server();
    context.use_certificate(who.certificate, who.key);
    return context;
}

/// A client's context that trusts the test's authority, and nobody else.
inline anyio::tls_context client_context() {
    auto context = anyio::tls_context::client();
    context.trust(test_authority().certificate);
    return context;
}

/// Two ends of one TLS connection.
template <class Transport>
struct tls_pair {
    anyio::tls_stream<Transport> client;
    anyio::tls_stream<Transport> server;
};

/// How a handshake has ended on both sides.
template <class Transport>
struct handshakes {
    anyio::outcome<anyio::tls_stream<Transport>> client;
    anyio::outcome<anyio::tls_stream<Transport>> server;
};

/// Shakes hands over a pair of transports. A side that fails closes its transport, so that
/// the other one ends too.
template <class Transport>
anyio::task<handshakes<Transport>> shake_hands(
    std::pair<Transport, Transport> below,
    anyio::tls_options client,
    anyio::tls_options server
) {
    handshakes<Transport> ended;
    auto both = [&](anyio::task_group& tg) {
        tg.start_soon([&]() -> anyio::task<> {
            ended.client = co_await anyio::as_outcome(
                anyio::wrap_tls(std::move(below.first), client)
            );
        });
        tg.start_soon([&]() -> anyio::task<> {
            ended.server = co_await anyio::as_outcome(
                anyio::wrap_tls(std::move(below.second), server)
            );
        });
    };
    co_await anyio::with(anyio::create_task_group(), both);
    co_return std::move(ended);
}

/// Contexts of both sides, for those who change them.
struct contexts {
    contexts() : client(client_context()), server(server_context()) {}

    explicit contexts(anyio::tls_version only) : contexts() {
        for (anyio::tls_context* one : {&client, &server})
            one->set_minimum_version(only).set_maximum_version(only);
    }

    [[nodiscard]] anyio::tls_options for_client() const {
        return {.hostname = "localhost", .context = &client};
    }

    [[nodiscard]] anyio::tls_options for_server() const { return {.context = &server}; }

    anyio::tls_context client;
    anyio::tls_context server;
};

/// Two ends of a TLS connection over these transports.
template <class Transport>
anyio::task<std::pair<anyio::tls_stream<Transport>, anyio::tls_stream<Transport>>>
connect_over(std::pair<Transport, Transport> below, const contexts& with) {
    auto ended =
        co_await shake_hands(std::move(below), with.for_client(), with.for_server());
    auto client = std::move(ended.client).value();
    auto server = std::move(ended.server).value();
    co_return std::pair(std::move(client), std::move(server));
}

/// The same in memory, with the newest version unless the contexts say otherwise.
inline anyio::task<std::pair<tls_memory_stream, tls_memory_stream>>
memory_pair(const contexts& with) {
    return connect_over(anyio::testing::memory_stream_pair(), with);
}

/// Destroys a stream while one task receives and another sends `size` bytes, more than there
/// is room for. Both must see it closed.
template <class S>
anyio::task<> destroy_with_waiters(std::unique_ptr<S> client, std::size_t size) {
    anyio::outcome<anyio::bytes> received;
    anyio::outcome<void> sent;
    const std::string much(size, 'x');
    auto both = [&](anyio::task_group& tg) -> anyio::task<> {
        tg.start_soon([&]() -> anyio::task<> {
            received = co_await anyio::as_outcome(client->receive());
        });
        tg.start_soon([&]() -> anyio::task<> {
            sent = co_await anyio::as_outcome(client->send(much));
        });
        co_await anyio::wait_all_tasks_blocked();
        client.reset();
    };
    co_await with(anyio::create_task_group(), both);
    EXPECT_TRUE(is_error<anyio::closed_resource_error>(received.error()));
    EXPECT_TRUE(is_error<anyio::closed_resource_error>(sent.error()));
}

template <class S>
anyio::task<std::string> receive_exactly(S& stream, std::size_t size) {
    std::string text;
    while (text.size() < size) {
        auto chunk = co_await stream.next(size - text.size());
        if (!chunk)
            break;
        text += chunk->str();
    }
    co_return text;
}

template <class S>
anyio::task<std::string> receive_all(S& stream) {
    std::string text;
    while (auto chunk = co_await stream.next())
        text += chunk->str();
    co_return text;
}

}  // namespace support
