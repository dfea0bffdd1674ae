// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// unix_connectable: a UNIX server to connect to, any number of times.
/// Manual: docs/manual/networking.md#connectables

#include <anyio/basics/task.hpp>
#include <anyio/networking/unix_address.hpp>
#include <anyio/networking/unix_socket_stream.hpp>

namespace anyio {

/// The address of a UNIX server. A value; a byte_stream_connectable.
///
/// @threads  any; connect(): loop
/// @anyio    anyio.UNIXConnectable
class unix_connectable {
public:
    /// @param to  a path, or an abstract name
    /// @throws usage_error  if it is unnamed
    explicit unix_connectable(const unix_address& to);

    /// As connect_unix(). This may go before the task is awaited.
    ///
    /// @throws connection_failed  if nobody listens there, or it is not allowed; caused by
    ///                            the os_error
    /// @checkpoint    always
    /// @cancellation  atomic: nothing stays open
    /// @threads       loop
    /// @anyio         anyio.abc.ByteStreamConnectable.connect
    [[nodiscard]] task<unix_socket_stream> connect() const;

    [[nodiscard]] const unix_address& address() const noexcept { return address_; }

private:
    unix_address address_;
};

}  // namespace anyio
