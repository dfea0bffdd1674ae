// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What a tls_engine is made of.

#include <anyio/streams/detail/tls_engine.hpp>
#include "openssl.hpp"

#include <cstdint>
#include <exception>
#include <string>

namespace anyio::detail {

/// Why the peer's certificate was not accepted, noted where OpenSSL still knows which one
/// it was.
struct verify_failure {
    int code = X509_V_OK;
    std::string certificate;  // in words
};

/// What a tls_session refers to.
struct kept_session {
    kept_session(
        std::shared_ptr<tls_context_state> made_by, std::uint64_t how, std::string of
    ) noexcept
        : context(std::move(made_by)), verification(how), name(std::move(of)) {}

    session_ptr session;
    std::shared_ptr<tls_context_state> context;
    std::uint64_t verification;  // as the context's, then
    std::string name;            // that was verified
};

/// TLS 1.3 has its tickets come after the handshake: the newest is the one to use.
/// Owns `session` if it returns 1, as OpenSSL wants it.
[[nodiscard]] int keep_session(SSL* ssl, SSL_SESSION* session) noexcept;

struct tls_engine::state {
    [[nodiscard]] tls_step settle(int result) noexcept;
    [[nodiscard]] std::exception_ptr make_error();
    /// Hears of each message, in both directions.
    static void note_message(
        int sent,
        int version,
        int type,
        const void* message,
        std::size_t size,
        SSL* ssl,
        void* engine
    ) noexcept;

    cipher_buffers buffers;
    ssl_ptr ssl;
    std::shared_ptr<tls_context_state> context;  // SSL's callbacks use it
    std::string subject;
    std::string name;  // to be verified
    std::uint64_t verification = 0;
    verify_failure refused;
    tls_session newest;
    std::exception_ptr error;
    std::size_t idle_messages = 0;  // that came since there was data
    bool greeted = false;           // the handshake is done
    bool refused_renegotiation = false;
};

/// Sets up what `setup` wants to be verified, and how.
/// @throws usage_error  if that makes no sense, or is not safe
void set_up_verification(tls_engine::state& engine, const tls_setup& setup);

[[nodiscard]] std::exception_ptr make_verify_error(const tls_engine::state& engine);

}  // namespace anyio::detail
