// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What the sources of TLS share: OpenSSL's objects as owners, and its errors in words.

#include <anyio/base/bytes.hpp>
#include <anyio/base/unique_function.hpp>
#include <anyio/streams/tls_context.hpp>
#include "openssl_ptr.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace anyio::detail {

using ssl_ptr = openssl_ptr<SSL, &SSL_free>;
using session_ptr = openssl_ptr<SSL_SESSION, &SSL_SESSION_free>;

/// Takes all there is in the thread's error queue: `certificate verify failed; ...`.
[[nodiscard]] std::string take_openssl_errors();

/// @throws tls_configuration_error  `<operation>: <what OpenSSL says>`
[[noreturn]] void throw_configuration(const std::string& operation);

/// A name as text: `CN=example.org,O=Example`.
[[nodiscard]] std::string describe_name(const X509_NAME* name);
[[nodiscard]] std::string describe_time(const ASN1_TIME* time);
[[nodiscard]] tls_certificate describe_certificate(X509& certificate);

struct tls_context_state {
    tls_context_state(const SSL_METHOD* method, bool for_servers);
    tls_context_state(const tls_context_state&) = delete;  // OpenSSL holds its address
    tls_context_state& operator=(const tls_context_state&) = delete;

    ~tls_context_state() { SSL_CTX_free(ctx); }

    /// What is verified, or whom it trusts, has changed: what was verified before proves
    /// nothing any longer.
    void forget_sessions() noexcept;

    SSL_CTX* ctx;
    std::uint64_t verification = 0;  ///< counts those changes
    bool server;
    bool verifies;
    std::string alpn;  // as it goes over the wire
    unique_function<void(std::string_view)> log_keys;
};

/// A BIO both of whose sides are memory: OpenSSL's own keeps its bytes where nobody can
/// receive into them, and copies them once more.
struct cipher_buffers {
    bytes input;
    std::size_t input_begin = 0;
    std::size_t input_end = 0;
    bytes output;
    bytes in_flight;  // being sent, while output gets new bytes
};

[[nodiscard]] BIO* make_buffer_bio(cipher_buffers& buffers);

}  // namespace anyio::detail
