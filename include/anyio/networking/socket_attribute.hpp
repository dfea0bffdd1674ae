// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// socket_attribute: what a socket, and every stream wrapped around one, tells of itself.
/// Manual: docs/manual/typedattrs.md

#include <anyio/networking/socket_address.hpp>
#include <anyio/typedattrs/typed_attribute.hpp>

#include <cstdint>

namespace anyio {

/// The typed attributes of sockets: `extra<socket_attribute::remote_address>(stream)`.
///
/// @anyio  anyio.abc.SocketAttribute
struct socket_attribute {
    struct local_address : typed_attribute<ip_endpoint> {};

    struct local_port : typed_attribute<std::uint16_t> {};

    struct remote_address : typed_attribute<ip_endpoint> {};

    struct remote_port : typed_attribute<std::uint16_t> {};

    /// The descriptor, still owned by the stream; -1 if that is closed.
    struct raw_socket : typed_attribute<int> {};
};

}  // namespace anyio
