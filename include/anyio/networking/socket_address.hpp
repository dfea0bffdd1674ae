// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ip_endpoint: where an IP socket is. Manual: docs/manual/networking.md#addresses

#include <anyio/networking/ip_address.hpp>

#include <array>
#include <compare>
#include <cstdint>
#include <string>

namespace anyio {

/// An address and a port. A value, in 24 bytes.
///
/// A peer of IPv4 on a socket that serves both families is shown by its IPv4 address.
///
/// @threads  any
/// @anyio    anyio.abc.IPSockAddrType
class ip_endpoint {
public:
    /// No endpoint: the address of a socket that has none.
    constexpr ip_endpoint() noexcept = default;

    constexpr ip_endpoint(const ip_address& address, std::uint16_t port) noexcept
        : port_(port), family_(address.is_v6() ? family::v6 : family::v4) {
        if (address.is_v6()) {
            bytes_ = address.v6().bytes();
            scope_id_ = address.v6().scope_id();
        } else {
            for (std::size_t i = 0; i < 4; ++i)
                bytes_[i] = address.v4().bytes()[i];
        }
    }

    /// 0.0.0.0 if there is no endpoint.
    [[nodiscard]] constexpr ip_address address() const noexcept {
        if (is_v6())
            return ipv6_address(bytes_, scope_id_);
        return ipv4_address({bytes_[0], bytes_[1], bytes_[2], bytes_[3]});
    }

    [[nodiscard]] constexpr std::uint16_t port() const noexcept { return port_; }

    [[nodiscard]] constexpr bool is_v4() const noexcept {
        return family_ == family::v4;
    }

    [[nodiscard]] constexpr bool is_v6() const noexcept {
        return family_ == family::v6;
    }

    /// Whether there is one.
    [[nodiscard]] constexpr explicit operator bool() const noexcept {
        return family_ != family::none;
    }

    friend constexpr auto
    operator<=>(const ip_endpoint&, const ip_endpoint&) noexcept = default;

private:
    enum class family : std::uint8_t { none, v4, v6 };

    ipv6_address::octets bytes_{};  // of IPv4 the first four
    std::uint32_t scope_id_ = 0;
    std::uint16_t port_ = 0;
    family family_ = family::none;
};

static_assert(sizeof(ip_endpoint) == 24);

/// `127.0.0.1:80`, `[::1]:80`; `unknown` if there is none.
[[nodiscard]] std::string to_string(const ip_endpoint& endpoint);

}  // namespace anyio
