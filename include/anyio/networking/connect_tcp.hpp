// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// connect_tcp: a connection to a host, by name or address.
/// Manual: docs/manual/networking.md#connecting

#include <anyio/base/time.hpp>
#include <anyio/basics/task.hpp>
#include <anyio/networking/getaddrinfo.hpp>
#include <anyio/networking/socket_stream.hpp>

#include <cstdint>
#include <string_view>

namespace anyio {

/// How to connect. Trivially destructible: see docs/manual/compilers.md.
struct connect_tcp_options {
    /// An address or a name of this machine to connect from; empty: the system chooses.
    /// Only remote addresses of its family are tried.
    std::string_view local_host = {};
    /// 0: the system chooses.
    std::uint16_t local_port = 0;
    /// How long one address may keep the next one waiting (RFC 8305, 5). `forever`: until
    /// it has failed.
    delay happy_eyeballs_delay = std::chrono::milliseconds(250);
};

/// Connects to a TCP server.
///
/// If `host` is a name with several addresses, they are tried in the order of the
/// resolver, families taking turns: the next one as soon as the one before has failed, or
/// has not answered for 250 ms. The first connection wins; the others are closed.
///
/// There is no time limit but that of the system, about two minutes: use fail_after().
///
/// @param host  a name in ASCII, or an address
/// @param port  not 0
/// @throws connection_failed  if no address answered; caused by the os_error, or by an
///                            exception_group of them, one for each address
/// @throws os_error           if the name is not known
/// @throws usage_error        if `port` is 0, the delay negative, or `host` cannot be a host name
/// @checkpoint    always
/// @cancellation  atomic: nothing stays open
/// @threads       loop
/// @allocates     some frames, and what the stream needs of the backend
/// @anyio         anyio.connect_tcp
[[nodiscard]] task<socket_stream> connect_tcp(
    std::string_view host, std::uint16_t port, connect_tcp_options options = {}
);

}  // namespace anyio
