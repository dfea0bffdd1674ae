// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// socket_attribute: what a socket, and every stream wrapped around one, tells of itself.
/// Manual: docs/manual/typedattrs.md

#include <anyio/networking/socket_address.hpp>
#include <anyio/networking/unix_address.hpp>
#include <anyio/typedattrs/typed_attribute.hpp>

#include <cstdint>

namespace anyio {

/// What kind of addresses a socket has.
enum class socket_family : std::uint8_t { ipv4, ipv6, unix_domain };

/// The typed attributes of sockets: `extra<socket_attribute::remote_address>(stream)`.
///
/// UNIX sockets have paths where IP sockets have addresses and ports.
///
/// @anyio  anyio.abc.SocketAttribute
struct socket_attribute {
    struct family : typed_attribute<socket_family> {};

    struct local_address : typed_attribute<ip_endpoint> {};

    struct local_port : typed_attribute<std::uint16_t> {};

    struct remote_address : typed_attribute<ip_endpoint> {};

    struct remote_port : typed_attribute<std::uint16_t> {};

    struct local_path : typed_attribute<unix_address> {};

    struct remote_path : typed_attribute<unix_address> {};

    /// The descriptor, still owned by the stream; -1 if that is closed.
    struct raw_socket : typed_attribute<int> {};
};

}  // namespace anyio
