// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// unix_listener, create_unix_listener: accept connections over a UNIX socket.
/// Manual: docs/manual/networking.md#unix-sockets

#include <anyio/base/unique_fd.hpp>
#include <anyio/basics/task.hpp>
#include <anyio/networking/socket_listener.hpp>
#include <anyio/networking/unix_socket_stream.hpp>

#include <optional>

namespace anyio {

class unix_listener;

/// How to listen. Trivially destructible: see docs/manual/compilers.md.
struct create_unix_listener_options {
    /// Permissions of the socket file, `0600` for instance; who may write to it may
    /// connect. In force from the moment there is a file. Empty: the umask decides.
    std::optional<unsigned> mode = {};
    /// Connections that may wait to be accepted; the system has a limit of its own.
    int backlog = 65536;
    /// Removes the file when the listener is closed, unless it is another's by then.
    bool unlink_on_close = false;
};

/// Opens a UNIX socket that listens for connections.
///
/// A socket file of this user that nobody answers at, which a server leaves that has ended,
/// gives way. Another file does not, nor does one behind a symbolic link. A server that is
/// there notices a connection that ends at once. Two servers that begin at one moment at
/// one place had better be told apart by a lock.
///
/// The file is made and looked at on the loop's thread.
///
/// @param at  a path, or an abstract name: `unix_address::abstract("service")`. What cannot
///            be one throws usage_error here, not where this is awaited
/// @throws os_error     if there is something else, somebody listens there, the folder does
///                      not exist or may not be written to; nothing is left behind
/// @throws usage_error  if `at` is unnamed, `mode` is no file's mode, or an abstract name,
///                      which has none, is given one; if `backlog` is negative
/// @checkpoint    always
/// @cancellation  atomic
/// @threads       loop
/// @allocates     the listener
/// @anyio         anyio.create_unix_listener
[[nodiscard]] task<unix_listener>
create_unix_listener(unix_address at, create_unix_listener_options options = {});

/// A UNIX socket that accepts connections: what create_unix_listener() yields.
///
/// @threads      loop
/// @concurrency  one accept() or serve() at a time, else busy_resource_error
/// @anyio        anyio.abc.SocketListener
class unix_listener : public socket_listener<unix_socket_stream> {
public:
    unix_listener(unix_listener&& other) noexcept = default;
    /// Closes what this was.
    unix_listener& operator=(unix_listener&& other) noexcept = default;
    ~unix_listener() = default;

    /// Makes a listener of a descriptor that came from elsewhere: a service manager, or a
    /// parent process. It becomes non-blocking, for all who share it; its file stays.
    ///
    /// @param fd  taken over, unless this throws
    /// @throws usage_error  if it is no socket, none for streams, no UNIX socket, or does
    ///                      not listen
    /// @throws os_error     if there is no such descriptor
    /// @throws no_event_loop_error
    /// @anyio   anyio.abc.SocketListener.from_socket
    [[nodiscard]] static unix_listener from_fd(unique_fd&& fd);

    /// Where it listens.
    ///
    /// @throws closed_resource_error  if the listener was closed
    /// @throws os_error               if the system does not tell
    [[nodiscard]] unix_address local_address() const;

    using extra_attributes = attribute_list<
        socket_attribute::family,
        socket_attribute::local_path,
        socket_attribute::raw_socket>;

    /// For extra().
    ///
    /// @throws closed_resource_error  for the path, if the listener was closed
    [[nodiscard]] socket_family attribute(socket_attribute::family) const noexcept {
        return socket_family::unix_domain;
    }

    [[nodiscard]] unix_address attribute(socket_attribute::local_path) const {
        return local_address();
    }

    [[nodiscard]] int attribute(socket_attribute::raw_socket) const noexcept;

private:
    friend task<unix_listener>
    create_unix_listener(unix_address at, create_unix_listener_options options);

    explicit unix_listener(detail::listener_core& core) noexcept
        : socket_listener(core, kind_) {}

    static const detail::listener_kind kind_;
};

}  // namespace anyio
