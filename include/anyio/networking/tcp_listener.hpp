// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// tcp_listener, create_tcp_listener: accept TCP connections.
/// Manual: docs/manual/networking.md#servers

#include <anyio/base/unique_fd.hpp>
#include <anyio/basics/task.hpp>
#include <anyio/networking/getaddrinfo.hpp>
#include <anyio/networking/socket_listener.hpp>
#include <anyio/networking/socket_stream.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace anyio {

/// One or more listening sockets that accept TCP connections: what create_tcp_listener()
/// yields.
///
/// @threads      loop
/// @concurrency  one accept() or serve() at a time, else busy_resource_error
/// @anyio        anyio.abc.SocketListener, anyio.streams.stapled.MultiListener
class tcp_listener : public socket_listener<socket_stream> {
public:
    tcp_listener(tcp_listener&& other) noexcept = default;
    /// Closes what this was.
    tcp_listener& operator=(tcp_listener&& other) noexcept = default;
    ~tcp_listener() = default;

    /// Makes a listener of a descriptor that came from elsewhere: a service manager, or a
    /// parent process. It becomes non-blocking, for all who share it.
    ///
    /// @param fd  taken over, unless this throws
    /// @throws usage_error  if it is no socket, none for streams, none of IP, or does not
    ///                      listen
    /// @throws os_error     if there is no such descriptor
    /// @throws no_event_loop_error
    /// @anyio   anyio.abc.SocketListener.from_socket
    [[nodiscard]] static tcp_listener from_fd(unique_fd&& fd);

    /// The port, the same for all sockets.
    ///
    /// @throws closed_resource_error  if the listener was closed
    [[nodiscard]] std::uint16_t local_port() const;

    /// Where it listens: one address for each socket. One socket at `[::]` serves both
    /// families.
    ///
    /// @throws closed_resource_error  if the listener was closed
    [[nodiscard]] std::vector<ip_endpoint> local_addresses() const;

    using extra_attributes = attribute_list<
        socket_attribute::family,
        socket_attribute::local_address,
        socket_attribute::local_port,
        socket_attribute::raw_socket>;

    /// For extra(): what is true of the first socket.
    ///
    /// @throws closed_resource_error  if the listener was closed
    [[nodiscard]] socket_family attribute(socket_attribute::family) const;
    [[nodiscard]] ip_endpoint attribute(socket_attribute::local_address) const;

    [[nodiscard]] std::uint16_t attribute(socket_attribute::local_port) const {
        return local_port();
    }

    [[nodiscard]] int attribute(socket_attribute::raw_socket) const noexcept;

    /// For those who make listeners: takes over sockets that listen, at least one.
    [[nodiscard]] static tcp_listener made(std::vector<unique_fd> listening);

private:
    explicit tcp_listener(detail::listener_core& core) noexcept
        : socket_listener(core, kind_) {}

    static const detail::listener_kind kind_;
};

/// Where to listen. Trivially destructible: see docs/manual/compilers.md.
struct create_tcp_listener_options {
    /// A name, or an address; a name may mean several sockets. Empty: all addresses of
    /// this machine, of both families.
    std::string_view local_host = {};
    /// 0: the system chooses one, the same for all sockets.
    std::uint16_t local_port = 0;
    /// Which of the host's addresses.
    address_family family = address_family::any;
    /// Connections that may wait to be accepted; the system has a limit of its own.
    int backlog = 65536;
    /// SO_REUSEPORT: other sockets may listen on the port as well, and the system shares
    /// the connections out.
    bool reuse_port = false;
};

/// Opens sockets that listen for TCP connections.
///
/// @throws os_error     if the name is not known, the address is not of this machine, the
///                      port is taken or privileged
/// @throws usage_error  if `backlog` is negative, or `local_host` cannot be a host name
/// @checkpoint    always
/// @cancellation  atomic
/// @threads       loop
/// @allocates     the listener
/// @anyio         anyio.create_tcp_listener
[[nodiscard]] task<tcp_listener>
create_tcp_listener(create_tcp_listener_options options = {});

}  // namespace anyio
