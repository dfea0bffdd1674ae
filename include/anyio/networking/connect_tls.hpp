// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// connect_tls: a TLS connection to a host, by name or address. Target anyio::tls.
/// Manual: docs/manual/tls.md

#include <anyio/networking/connect_tcp.hpp>
#include <anyio/streams/tls.hpp>

#include <cstdint>
#include <string_view>
#include <type_traits>

namespace anyio {

/// How to connect. Trivially destructible: see docs/manual/compilers.md.
struct connect_tls_options {
    connect_tcp_options tcp = {};
    /// What the server's certificate has to be for, if that is not `host`.
    std::string_view hostname = {};
    /// Null: one that trusts whom the system trusts.
    const tls_context* context = nullptr;
    /// As tls_options::standard_compatible.
    bool standard_compatible = true;
    /// As tls_options::session.
    const tls_session* session = nullptr;
};

static_assert(std::is_trivially_destructible_v<connect_tls_options>);

/// Connects to a TLS server, as connect_tcp() does, and verifies that it is `host`.
///
/// There is no time limit: use fail_after().
///
/// @param host  a name in ASCII, or an address; what the certificate must be for
/// @throws connection_failed, os_error, usage_error  as connect_tcp()
/// @throws tls_certificate_error, tls_error, broken_resource_error, usage_error
///         as wrap_tls(); then the connection is closed
/// @checkpoint    always
/// @cancellation  atomic: nothing stays open
/// @threads       loop
/// @anyio         anyio.connect_tcp(tls=True)
[[nodiscard]] task<tls_stream<socket_stream>> connect_tls(
    std::string_view host, std::uint16_t port, connect_tls_options options = {}
);

}  // namespace anyio
