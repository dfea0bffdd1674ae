// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// free_tcp_port, free_udp_port: a number that nobody listens at. Manual: docs/manual/testing.md#ports

#include <anyio/networking/getaddrinfo.hpp>

#include <cstdint>

namespace anyio::testing {

/// A port of the loopback address at which nobody listens; the system gives another one
/// each time. Better where you can: listen at port 0, and ask the listener for its port.
///
/// @throws os_error  if there is none
/// @threads  any
/// @anyio    anyio.pytest_plugin.FreePortFactory
[[nodiscard]] std::uint16_t free_tcp_port(address_family family = address_family::ipv4);
[[nodiscard]] std::uint16_t free_udp_port(address_family family = address_family::ipv4);

}  // namespace anyio::testing
