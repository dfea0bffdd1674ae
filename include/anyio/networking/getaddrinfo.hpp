// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// getaddrinfo: the addresses of a host name; getnameinfo: the name of an address;
/// resolver: who looks them up.
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

/// How getnameinfo() answers. Trivially destructible: see docs/manual/compilers.md.
struct getnameinfo_options {
    /// The address itself, not its name.
    bool numeric_host = false;
    /// The port's number, not its name.
    bool numeric_service = false;
    /// An address without a name is an error, not its own name.
    bool name_required = false;
    /// Names of services of UDP, where these differ from TCP.
    bool datagram = false;
};

/// What getnameinfo() yields. A value.
struct name_info {
    std::string host;
    std::string service;

    friend bool operator==(const name_info&, const name_info&) = default;
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

    /// The name of `endpoint`; asks the system, unless you know better.
    ///
    /// @throws        what getnameinfo() shall throw: os_error, usually
    /// @checkpoint    always
    /// @cancellation  atomic
    [[nodiscard]] virtual task<name_info>
    getnameinfo(ip_endpoint endpoint, getnameinfo_options options);
};

/// The addresses of `host`, best first, as the system's resolver has it (RFC 6724).
///
/// Addresses are read here and now. Names are looked up in a worker thread, of which
/// there are 16 at most; more wait for one. A look-up that is cancelled before it has one
/// never takes it.
///
/// @param host  a name in ASCII (encode others by IDNA first), an address, or empty for
///              this machine
/// @returns  at least one
/// @throws os_error     if the name does not exist, or nobody could say; its category is
///                      getaddrinfo_category()
/// @throws usage_error  if `host` cannot be a host name
/// @throws no_event_loop_error  outside a task
/// @checkpoint    always
/// @cancellation  atomic: a look-up that has begun is left to end by itself
/// @threads       loop
/// @allocates     a frame, a job, the result
/// @anyio         anyio.getaddrinfo
[[nodiscard]] task<std::vector<ip_endpoint>> getaddrinfo(
    std::string_view host, std::uint16_t port, getaddrinfo_options options = {}
);

/// The names of an address and its port, as the system's resolver has them.
///
/// If both shall be numeric, nobody is asked. Otherwise as getaddrinfo(), in a worker
/// thread.
///
/// @throws os_error     if there is no name and one is required, or nobody could say; its
///                      category is getaddrinfo_category()
/// @throws usage_error  if there is no endpoint
/// @throws no_event_loop_error  outside a task
/// @checkpoint    always
/// @cancellation  atomic: a look-up that has begun is left to end by itself
/// @threads       loop
/// @allocates     a frame, a job, the result
/// @anyio         anyio.getnameinfo
[[nodiscard]] task<name_info>
getnameinfo(ip_endpoint endpoint, getnameinfo_options options = {});

/// Who answers getaddrinfo(), getnameinfo() and all that connect or listen by name in this
/// run, from now on; null for the system.
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
