// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// as_connectable: what can be connected to, of however it is named.
/// Manual: docs/manual/networking.md#connectables

#include <anyio/abc/connectable.hpp>
#include <anyio/networking/socket_address.hpp>
#include <anyio/networking/tcp_connectable.hpp>
#include <anyio/networking/unix_connectable.hpp>

#include <cstdint>
#include <string_view>
#include <utility>

namespace anyio {

/// A TCP server, by the name or address of its host: `as_connectable("example.org", 80)`.
///
/// @throws usage_error  if `port` is 0
/// @threads  any
/// @anyio    anyio.as_connectable
[[nodiscard]] inline tcp_connectable
as_connectable(std::string_view host, std::uint16_t port) {
    return {host, port};
}

/// A TCP server, by its endpoint.
///
/// @throws usage_error  if there is none, or its port is 0
[[nodiscard]] tcp_connectable as_connectable(const ip_endpoint& endpoint);

/// A UNIX server: `as_connectable("/run/service.sock")`.
///
/// @throws usage_error  if it is unnamed, or text that cannot be an address
[[nodiscard]] inline unix_connectable as_connectable(const unix_address& address) {
    return unix_connectable(address);
}

/// What is connectable already.
template <class C>
    requires byte_stream_connectable<C>
[[nodiscard]] C as_connectable(C target) {
    return target;
}

}  // namespace anyio
