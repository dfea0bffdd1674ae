// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What UNIX sockets ask of the operating system, beyond posix_socket.hpp.

#include <anyio/base/unique_fd.hpp>
#include <anyio/networking/unix_address.hpp>
#include <anyio/networking/unix_socket_stream.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace anyio::posix_socket {

/// A UNIX socket for streams: non-blocking, close-on-exec.
///
/// @throws os_error
[[nodiscard]] unique_fd open_unix_stream();

/// Two of them, connected with each other.
///
/// @throws os_error
[[nodiscard]] std::pair<unique_fd, unique_fd> open_unix_pair();

/// An errno, 0 if all went well.
[[nodiscard]] int peer_of(int fd, process_credentials& peer) noexcept;

/// A name in the file system that stands for a socket of ours. A value.
class bound_file {
public:
    /// Nothing.
    bound_file() noexcept = default;

    /// `path`, to which a socket will be bound. It may be relative, and the folder of this
    /// process may change.
    explicit bound_file(std::string_view path);

    /// The socket has been bound; false: the name has gone already.
    [[nodiscard]] bool remember() noexcept;

    /// Removes the name, unless it stands for something else by now.
    void remove() noexcept;

private:
    std::string path_;  // absolute; empty: nothing
    std::uint64_t device_ = 0;
    std::uint64_t number_ = 0;
};

/// Binds the socket to `to` with exactly the permissions of `mode`, if one is given: never
/// more than these, not for a moment. A socket file that nobody listens at, and that is of
/// this user, gives way.
///
/// @returns  nothing of an abstract name
/// @throws os_error  and then nothing is left behind
[[nodiscard]] bound_file
bind_unix(int fd, const unix_address& to, std::optional<unsigned> mode);

}  // namespace anyio::posix_socket
