// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// tls_attribute: what a TLS stream, and every stream wrapped around one, tells of itself.
/// Target anyio::tls. Manual: docs/manual/tls.md#streams

#include <anyio/streams/tls_context.hpp>
#include <anyio/typedattrs/typed_attribute.hpp>

#include <optional>
#include <string>
#include <vector>

namespace anyio {

/// The typed attributes of TLS streams: `extra<tls_attribute::cipher>(stream)`.
///
/// @anyio  anyio.streams.tls.TLSAttribute
struct tls_attribute {
    /// Empty: none was agreed on.
    struct alpn_protocol : typed_attribute<std::string> {};

    /// `TLS_AES_256_GCM_SHA384`
    struct cipher : typed_attribute<std::string> {};

    /// What the client offered and the server has; empty in clients.
    struct shared_ciphers : typed_attribute<std::vector<std::string>> {};

    struct tls_version : typed_attribute<anyio::tls_version> {};

    /// Empty: it has shown none.
    struct peer_certificate : typed_attribute<std::optional<tls_certificate>> {};

    struct server_side : typed_attribute<bool> {};

    struct standard_compatible : typed_attribute<bool> {};

    /// What both sides, and nobody else, know of this connection: `tls-exporter` (RFC
    /// 9266) with TLS 1.3, `tls-unique` (RFC 5929) with TLS 1.2.
    struct channel_binding : typed_attribute<std::string> {};
};

namespace detail {

struct tls_attributes {
    using extra_attributes = attribute_list<
        tls_attribute::alpn_protocol,
        tls_attribute::cipher,
        tls_attribute::shared_ciphers,
        tls_attribute::tls_version,
        tls_attribute::peer_certificate,
        tls_attribute::server_side,
        tls_attribute::standard_compatible,
        tls_attribute::channel_binding>;
};

}  // namespace detail

}  // namespace anyio
