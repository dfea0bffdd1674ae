// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// connect_unix: a connection to a UNIX socket.
/// Manual: docs/manual/networking.md#unix-sockets

#include <anyio/basics/task.hpp>
#include <anyio/networking/unix_address.hpp>
#include <anyio/networking/unix_socket_stream.hpp>

namespace anyio {

/// Connects to a server on this machine: `connect_unix("/run/service.sock")`.
///
/// Symbolic links are followed. While the server's backlog is full, the system does not
/// tell when there is room, so it is tried again: after 1 ms, and at last every 100 ms.
///
/// @param to  a path, or an abstract name: `unix_address::abstract("service")`. What cannot
///            be one throws usage_error here, not where this is awaited
/// @throws connection_failed  if nobody listens there, or it is not allowed; caused by the
///                            os_error
/// @throws usage_error        if `to` is unnamed
/// @checkpoint    always
/// @cancellation  atomic: nothing stays open
/// @threads       loop
/// @allocates     a frame, and what the stream needs of the backend
/// @anyio         anyio.connect_unix
[[nodiscard]] task<unix_socket_stream> connect_unix(unix_address to);

}  // namespace anyio
