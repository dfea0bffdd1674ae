// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// getaddrinfo: the addresses of a host name; resolver: who looks them up.
/// Manual: docs/manual/networking.md#names

#include <anyio/basics/task.hpp>
#include <anyio/networking/socket_address.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace anyio {

/// Which addresses are wanted.
enum class address_family : std::uint8_t { any, ipv4, ipv6 };

/// Trivially destructible: see docs/manual/compilers.md.
struct getaddrinfo_options {
    address_family family = address_family::any;
    /// For binding: no host means every address of this machine, not the loopback one.
    bool passive = false;
};

/// Looks names up. Give your own to set_resolver() for a cache, DNS over HTTPS, or a test.
///
/// @threads  loop
/// @anyio    trio.abc.HostnameResolver
class resolver {
public:
    resolver() = default;
    virtual ~resolver() = default;

    resolver(const resolver&) = delete;  // a loop holds its address
    resolver& operator=(const resolver&) = delete;

    /// The addresses of `host`, best first; never asked for what is an address already.
    ///
    /// @throws        what connect_tcp() and its kind shall throw: os_error, usually
    /// @checkpoint    always
    /// @cancellation  atomic
    [[nodiscard]] virtual task<std::vector<ip_endpoint>>
    getaddrinfo(std::string host, std::uint16_t port, getaddrinfo_options options) = 0;
};

/// The addresses of `host`, best first, as the system's resolver has it (RFC 6724).
///
/// Addresses are read here and now. Names are looked up in a worker thread, of which
/// there are 16 at most; more wait for one.
///
/// @param host  a name in ASCII (encode others by IDNA first), an address, or empty for
///              this machine
/// @returns  at least one
/// @throws os_error     if the name does not exist, or nobody could say; its category is
///                      getaddrinfo_category()
/// @throws usage_error  if `host` cannot be a host name
/// @throws no_event_loop_error  outside a task
/// @checkpoint    always
/// @cancellation  atomic: the look-up is left to end by itself
/// @threads       loop
/// @allocates     a frame, a job, the result
/// @anyio         anyio.getaddrinfo
[[nodiscard]] task<std::vector<ip_endpoint>> getaddrinfo(
    std::string_view host, std::uint16_t port, getaddrinfo_options options = {}
);

/// Who answers getaddrinfo(), connect_tcp() and create_tcp_listener() in this run, from
/// now on; null for the system.
///
/// @param replacement  must outlive its use
/// @returns  the one before
/// @throws no_event_loop_error  if no loop runs in this thread
/// @threads  loop
/// @anyio    trio.socket.set_custom_hostname_resolver
resolver* set_resolver(resolver* replacement);

/// The error codes of name resolution: EAI_NONAME and its kin.
///
/// @threads  any
[[nodiscard]] const std::error_category& getaddrinfo_category() noexcept;

}  // namespace anyio
