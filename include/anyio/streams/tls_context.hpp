// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// tls_context: certificates, verification, ALPN; what goes wrong in TLS. Target
/// anyio::tls. Manual: docs/manual/tls.md#contexts

#include <anyio/base/errors.hpp>
#include <anyio/base/light_std.hpp>
#include <anyio/base/unique_function.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace anyio {

/// The peer, or the connection to it, is not what TLS wants: a failed handshake, a record
/// that was tampered with, an alert, an end without a goodbye. The stream is unusable.
///
/// The message ends in what OpenSSL's error queue says.
///
/// @anyio  ssl.SSLError
class ANYIO_EXPORT tls_error : public broken_resource_error {
public:
    using broken_resource_error::broken_resource_error;
};

/// The peer's certificate was not accepted:
/// `tls handshake with example.org: certificate has expired (CN=example.org, not after ...)`.
///
/// @anyio  ssl.SSLCertVerificationError
class ANYIO_EXPORT tls_certificate_error : public tls_error {
public:
    tls_certificate_error(const std::string& message, int code)
        : tls_error(message), code_(code) {}

    /// OpenSSL's `X509_V_ERR_...`.
    [[nodiscard]] int verify_code() const noexcept { return code_; }

private:
    int code_;
};

/// A context cannot be set up so: a certificate or key that cannot be read, that do not
/// belong together, ciphers nobody knows.
class ANYIO_EXPORT tls_configuration_error : public error {
public:
    using error::error;
};

/// Older versions are not spoken.
enum class tls_version : std::uint8_t { tls1_2, tls1_3 };

/// `TLS 1.3`
[[nodiscard]] std::string_view to_string(tls_version version) noexcept;

/// What a client keeps of a connection to make the next one to the same server with less
/// work. A value that shares; empty by default.
class tls_session {
public:
    tls_session() noexcept = default;

    /// Whether there is none.
    [[nodiscard]] bool empty() const noexcept { return session_ == nullptr; }

    /// For those who write TLS streams: OpenSSL's SSL_SESSION.
    [[nodiscard]] const std::shared_ptr<void>& handle() const noexcept {
        return session_;
    }

    explicit tls_session(std::shared_ptr<void> session) noexcept
        : session_(std::move(session)) {}

private:
    std::shared_ptr<void> session_;
};

namespace detail {
struct tls_context_state;
}

/// How TLS connections are made: whom to trust, who one is, what to speak.
///
/// At least TLS 1.2; no compression, no renegotiation. A client verifies the server's
/// certificate and that it is for the name which is asked for, against the authorities
/// that the system trusts. Names stand in the certificate's subjectAltName; the CN is not
/// looked at; wildcards stand for one whole label.
///
/// A value that shares: copies are the same context. Set it up first, use it then: what
/// is changed later is seen by new streams only.
///
/// @threads  any, one at a time while it is being set up; afterwards any
/// @anyio    ssl.SSLContext
class tls_context {
public:
    /// For clients: verifies servers, against the authorities the system trusts.
    ///
    /// @throws tls_configuration_error  if the system's cannot be read
    [[nodiscard]] static tls_context client();

    /// For servers: needs a certificate before it is used; asks clients for none.
    [[nodiscard]] static tls_context server();

    /// Who we are: a file in PEM form with the certificate, then those between it and the
    /// authority; and one with its private key, which may be the same file.
    ///
    /// @param password  of the key, if that is encrypted; nobody is asked for it
    /// @throws tls_configuration_error  if a file cannot be read, or they do not match
    tls_context& use_certificate_file(
        const std::string& chain, const std::string& key, std::string_view password = {}
    );

    /// The same from memory.
    ///
    /// @throws tls_configuration_error  if they cannot be read, or do not match
    tls_context& use_certificate(
        std::string_view chain_pem,
        std::string_view key_pem,
        std::string_view password = {}
    );

    /// Trusts these authorities, a file in PEM form, and no longer the system's.
    ///
    /// @throws tls_configuration_error  if there is no certificate in it
    tls_context& trust_file(const std::string& path);

    /// The same from memory.
    ///
    /// @throws tls_configuration_error  if there is no certificate in it
    tls_context& trust(std::string_view authorities_pem);

    /// Trusts the system's authorities too, again or, in a server, for its clients.
    tls_context& trust_system();

    /// Servers: asks clients for a certificate, and verifies it if there is one.
    tls_context& request_client_certificate();

    /// Servers: accepts only clients with a certificate of a trusted authority.
    tls_context& require_client_certificate();

    /// Accepts any certificate, for any name: **anybody on the way can read and change
    /// what is sent**. The name is to be seen in reviews.
    tls_context& insecure_no_verify();

    /// What is spoken on top, the best first: `context.alpn("h2", "http/1.1")`. A server
    /// takes its own first that the client has too; if there is none, it speaks none.
    ///
    /// @throws usage_error  if a name is empty or longer than 255 bytes
    template <class... Names>
    tls_context& alpn(const Names&... names) {
        return set_alpn({std::string_view(names)...});
    }

    /// @throws usage_error  as alpn()
    tls_context& set_alpn(const std::vector<std::string_view>& names);

    tls_context& set_minimum_version(tls_version version);
    tls_context& set_maximum_version(tls_version version);

    /// Ciphers of TLS 1.2, in OpenSSL's language: `"ECDHE+AESGCM"`. The default is
    /// OpenSSL's.
    ///
    /// @throws tls_configuration_error  if that means none
    tls_context& set_ciphers(const std::string& list);

    /// Ciphers of TLS 1.3: `"TLS_AES_256_GCM_SHA384:..."`.
    ///
    /// @throws tls_configuration_error  if one is not known
    tls_context& set_ciphersuites(const std::string& list);

    /// Servers: whether clients may resume sessions by tickets; by default they may.
    tls_context& set_session_tickets(bool allowed);

    /// Gives the secrets of each connection to `write`, as lines for Wireshark's key log
    /// file: **whoever has them can read everything**. No environment variable does this.
    tls_context& insecure_log_keys(unique_function<void(std::string_view line)> write);

    /// For those who write TLS streams.
    [[nodiscard]] detail::tls_context_state& state() const noexcept { return *state_; }

    [[nodiscard]] const std::shared_ptr<detail::tls_context_state>&
    share() const noexcept {
        return state_;
    }

private:
    explicit tls_context(std::shared_ptr<detail::tls_context_state> state) noexcept
        : state_(std::move(state)) {}

    std::shared_ptr<detail::tls_context_state> state_;
};

/// A certificate, in its own bytes and in words.
struct tls_certificate {
    /// DER, as it was sent.
    std::string der;
    /// `CN=example.org,O=Example`, as RFC 2253 writes it, but in the certificate's order.
    std::string subject;
    std::string issuer;
    /// Of the subjectAltName. Bytes that are no printable ASCII read `\00`.
    std::vector<std::string> dns_names;
    std::vector<std::string> ip_addresses;
    /// `Jan  1 00:00:00 2030 GMT`
    std::string not_before;
    std::string not_after;

    friend bool operator==(const tls_certificate&, const tls_certificate&) = default;
};

}  // namespace anyio
