// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ipv4_address, ipv6_address, ip_address: parse and print.
/// Manual: docs/manual/networking.md#addresses

#include <anyio/base/config.hpp>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace anyio {

/// An IPv4 address. A value.
///
/// @threads  any
/// @anyio    ipaddress.IPv4Address
class ipv4_address {
public:
    using octets = std::array<std::uint8_t, 4>;

    /// 0.0.0.0
    constexpr ipv4_address() noexcept = default;

    /// In the order in which they are written.
    constexpr explicit ipv4_address(const octets& value) noexcept : bytes_(value) {}

    [[nodiscard]] static constexpr ipv4_address any() noexcept { return {}; }

    [[nodiscard]] static constexpr ipv4_address loopback() noexcept {
        return ipv4_address({127, 0, 0, 1});
    }

    [[nodiscard]] constexpr const octets& bytes() const noexcept { return bytes_; }

    /// 127.0.0.0/8
    [[nodiscard]] constexpr bool is_loopback() const noexcept {
        return bytes_[0] == 127;
    }

    [[nodiscard]] constexpr bool is_any() const noexcept { return *this == any(); }

    friend constexpr auto
    operator<=>(const ipv4_address&, const ipv4_address&) noexcept = default;

private:
    octets bytes_{};
};

/// An IPv6 address, with the interface it belongs to if it is link-local. A value.
///
/// @threads  any
/// @anyio    ipaddress.IPv6Address
class ipv6_address {
public:
    using octets = std::array<std::uint8_t, 16>;

    /// ::
    constexpr ipv6_address() noexcept = default;

    /// @param scope_id  number of the interface; 0: none
    constexpr explicit ipv6_address(
        const octets& value, std::uint32_t scope_id = 0
    ) noexcept
        : bytes_(value), scope_id_(scope_id) {}

    [[nodiscard]] static constexpr ipv6_address any() noexcept { return {}; }

    [[nodiscard]] static constexpr ipv6_address loopback() noexcept {
        return ipv6_address({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    }

    [[nodiscard]] constexpr const octets& bytes() const noexcept { return bytes_; }

    [[nodiscard]] constexpr std::uint32_t scope_id() const noexcept {
        return scope_id_;
    }

    [[nodiscard]] constexpr bool is_loopback() const noexcept {
        return *this == loopback();
    }

    [[nodiscard]] constexpr bool is_any() const noexcept { return *this == any(); }

    /// The IPv4 address inside of ::ffff:1.2.3.4: how a socket for both families names
    /// a peer of IPv4.
    [[nodiscard]] std::optional<ipv4_address> mapped_v4() const noexcept;

    friend constexpr auto
    operator<=>(const ipv6_address&, const ipv6_address&) noexcept = default;

private:
    octets bytes_{};
    std::uint32_t scope_id_ = 0;
};

/// One or the other. A value.
///
/// @threads  any
class ip_address {
public:
    /// 0.0.0.0
    constexpr ip_address() noexcept = default;

    constexpr ip_address(ipv4_address address) noexcept : v4_(address) {}

    constexpr ip_address(ipv6_address address) noexcept : v6_(address), is_v6_(true) {}

    /// Reads an address: `127.0.0.1`, `fe80::1%2`, `::ffff:10.0.0.1`. Strict, as
    /// inet_pton(3) is: four decimal numbers without leading zeros.
    ///
    /// @returns  empty if it is none, a host name for instance. A scope may only be a
    ///           number; connect_tcp() and its kin take names of interfaces too
    [[nodiscard]] static std::optional<ip_address>
    parse(std::string_view text) noexcept;

    [[nodiscard]] constexpr bool is_v4() const noexcept { return !is_v6_; }

    [[nodiscard]] constexpr bool is_v6() const noexcept { return is_v6_; }

    /// 0.0.0.0 if it is an IPv6 address.
    [[nodiscard]] constexpr const ipv4_address& v4() const noexcept { return v4_; }

    /// :: if it is an IPv4 address.
    [[nodiscard]] constexpr const ipv6_address& v6() const noexcept { return v6_; }

    [[nodiscard]] constexpr bool is_loopback() const noexcept {
        return is_v6_ ? v6_.is_loopback() : v4_.is_loopback();
    }

    [[nodiscard]] constexpr bool is_any() const noexcept {
        return is_v6_ ? v6_.is_any() : v4_.is_any();
    }

    friend constexpr auto
    operator<=>(const ip_address&, const ip_address&) noexcept = default;

private:
    ipv4_address v4_;
    ipv6_address v6_;
    bool is_v6_ = false;
};

/// `127.0.0.1`
[[nodiscard]] std::string to_string(const ipv4_address& address);

/// The shortest form, as RFC 5952 has it: `fe80::1%2`.
[[nodiscard]] std::string to_string(const ipv6_address& address);

[[nodiscard]] std::string to_string(const ip_address& address);

}  // namespace anyio
