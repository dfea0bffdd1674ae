// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// tcp_connectable: a TCP server to connect to, any number of times.
/// Manual: docs/manual/networking.md#connectables

#include <anyio/basics/task.hpp>
#include <anyio/networking/socket_stream.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace anyio {

/// A host and a port. A value; a byte_stream_connectable.
///
/// @threads  any; connect(): loop
/// @anyio    anyio.TCPConnectable
class tcp_connectable {
public:
    /// @param host  a name in ASCII, or an address
    /// @throws usage_error  if `port` is 0
    tcp_connectable(std::string_view host, std::uint16_t port);

    /// As connect_tcp(). This may go before the task is awaited.
    ///
    /// @throws connection_failed  if the name is not known, or no address answered; caused
    ///                            by the os_error, or by an exception_group of them
    /// @throws usage_error        if the host cannot be a host name
    /// @checkpoint    always
    /// @cancellation  atomic: nothing stays open
    /// @threads       loop
    /// @anyio         anyio.abc.ByteStreamConnectable.connect
    [[nodiscard]] task<socket_stream> connect() const;

    [[nodiscard]] const std::string& host() const noexcept { return host_; }

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    std::string host_;
    std::uint16_t port_;
};

}  // namespace anyio
