// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What the networking chapter asks of the operating system, without its headers.

#include <anyio/backends/backend.hpp>
#include <anyio/base/unique_fd.hpp>
#include <anyio/networking/getaddrinfo.hpp>
#include <anyio/networking/socket_address.hpp>
#include <anyio/networking/unix_address.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace anyio::posix_socket {

/// A sockaddr of an IP family, or of UNIX sockets.
struct native_address {
    static constexpr std::size_t room = 110;  // sockaddr_un, the largest

    alignas(8) std::byte data[room];
    std::size_t size = 0;  // 0: none
};

[[nodiscard]] native_address to_native(const ip_endpoint& endpoint) noexcept;
[[nodiscard]] native_address to_native(const unix_address& address) noexcept;

/// An IPv4 address in an IPv6 one becomes IPv4. No endpoint if it is of another family.
[[nodiscard]] ip_endpoint from_native(const native_address& address) noexcept;
/// Unnamed if it is of another family.
[[nodiscard]] unix_address unix_from_native(const native_address& address) noexcept;

/// No endpoint if the socket has none.
[[nodiscard]] ip_endpoint local_address(int fd) noexcept;
[[nodiscard]] ip_endpoint remote_address(int fd) noexcept;
[[nodiscard]] unix_address local_unix_address(int fd) noexcept;
[[nodiscard]] unix_address remote_unix_address(int fd) noexcept;

/// For those who must know.
///
/// @throws os_error
[[nodiscard]] ip_endpoint require_local_address(int fd);
[[nodiscard]] unix_address require_local_unix_address(int fd);

/// A TCP socket: non-blocking, close-on-exec, TCP_NODELAY.
///
/// @throws os_error
[[nodiscard]] unique_fd open_tcp(bool v6);

/// Whether it is plain TCP, or what connections of a listener are.
[[nodiscard]] backends::descriptor_kind kind_of_stream(int fd) noexcept;

struct bind_options {
    bool reuse_address = false;
    bool reuse_port = false;
    bool v6_only = false;
};

/// Both return an errno, 0 if all went well.
[[nodiscard]] int bind(int fd, const ip_endpoint& to, bind_options options) noexcept;
[[nodiscard]] int listen(int fd, int backlog) noexcept;

/// "bind tcp 0.0.0.0:80: permission denied (EACCES); ports below 1024 need ..."
[[noreturn]] void throw_bind_error(
    int error, const ip_endpoint& to, std::string_view operation = "bind tcp"
);

/// An errno, 0 if all went well.
[[nodiscard]] int shut_down_sending(int fd) noexcept;

/// getaddrinfo(3). Blocks.
///
/// @throws os_error
[[nodiscard]] std::vector<ip_endpoint>
resolve(const std::string& host, std::uint16_t port, getaddrinfo_options options);

/// getnameinfo(3). Blocks.
///
/// @throws os_error
[[nodiscard]] name_info
name_of(const ip_endpoint& endpoint, getnameinfo_options options);

/// Nobody knows an address of `host`.
[[noreturn]] void throw_unknown(const std::string& host);

/// `host` is an address of the family that is not wanted.
[[noreturn]] void throw_wrong_family(const std::string& host);

/// The number of a network interface; 0 if there is none of that name.
[[nodiscard]] std::uint32_t interface_number(const std::string& name) noexcept;

/// Whether a failed accept(2) says something about one connection only.
[[nodiscard]] bool concerns_one_connection(int error) noexcept;

/// Whether a failed accept(2) may go well a little later: when others have let go, or for
/// another connection.
[[nodiscard]] bool may_pass(int error) noexcept;

/// Whether a failed receive or send leaves the connection as it was.
[[nodiscard]] bool is_lack_of_memory(int error) noexcept;

}  // namespace anyio::posix_socket
