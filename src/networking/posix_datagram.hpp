// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What datagram sockets ask of the operating system, beyond posix_socket.hpp.

#include <anyio/base/unique_fd.hpp>
#include "posix_socket.hpp"

#include <cstddef>
#include <cstdint>

namespace anyio::posix_socket {

/// Non-blocking, close-on-exec.
///
/// @throws os_error
[[nodiscard]] unique_fd open_udp(bool v6);
[[nodiscard]] unique_fd open_unix_datagram();

/// How an IPv6 socket names a peer of IPv4: ::ffff:1.2.3.4.
[[nodiscard]] ip_endpoint mapped(const ip_endpoint& v4) noexcept;

/// An errno, 0 if all went well. Of datagram sockets it takes no time.
[[nodiscard]] int connect_datagram(int fd, const native_address& to) noexcept;

/// Drops what has come so far: a socket that was bound before it was connected may have
/// datagrams from others.
void drop_received(int fd) noexcept;

/// A message of recvmsg(2) or sendmsg(2) in memory that operations have for it.
class native_message {
public:
    static constexpr std::size_t size = 56 + 16 + 112;  // as operations have it

    /// @param at  `size` bytes, aligned to 8; they keep their address
    explicit native_message(std::byte* at) noexcept : at_(at) {}

    /// Makes one without data.
    void create() noexcept;
    void set_data(void* data, std::size_t length) noexcept;
    /// For receiving: the sender's address is wanted.
    void want_address() noexcept;
    void set_address(const native_address& to) noexcept;

    [[nodiscard]] native_address address() const noexcept;
    /// Whether some of the datagram received had no room.
    [[nodiscard]] bool was_truncated() const noexcept;
    /// sendmsg(2), now; minus an errno if it fails.
    [[nodiscard]] std::int64_t send(int fd) const noexcept;

private:
    std::byte* at_;
};

/// Whether the socket itself has room for something to send; its receiver may have none.
[[nodiscard]] bool has_room(int fd) noexcept;

/// Whether an error of a connected datagram socket says that nobody is there.
[[nodiscard]] bool concerns_peer(int error) noexcept;

}  // namespace anyio::posix_socket
