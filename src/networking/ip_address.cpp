// SPDX-License-Identifier: MIT
#include <anyio/networking/ip_address.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/networking/socket_address.hpp>

#include <algorithm>

namespace anyio {

namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9')
        return c - '0';
    const char small = static_cast<char>(c | 0x20);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

/// A decimal number without leading zeros, of `most` at most; -1 if it is none.
std::int64_t decimal(std::string_view text, std::int64_t most) noexcept {
    if (text.empty() || (text.size() > 1 && text[0] == '0'))
        return -1;
    std::int64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9')
            return -1;
        value = value * 10 + (c - '0');
        if (value > most)
            return -1;
    }
    return value;
}

std::string_view cut(std::string_view& rest, char separator) noexcept {
    const auto at = rest.find(separator);
    const std::string_view head = rest.substr(0, at);
    rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
    return head;
}

std::optional<ipv4_address> parse_v4(std::string_view text) noexcept {
    if (std::ranges::count(text, '.') != 3)
        return std::nullopt;
    ipv4_address::octets octets{};
    for (auto& octet : octets) {
        const std::int64_t value = decimal(cut(text, '.'), 255);
        if (value < 0)
            return std::nullopt;
        octet = static_cast<std::uint8_t>(value);
    }
    return ipv4_address(octets);
}

/// Groups of an IPv6 address, with the place of "::" among them.
struct groups {
    std::array<std::uint8_t, 16> bytes{};
    std::size_t size = 0;
    std::size_t gap = npos;

    static constexpr std::size_t npos = 17;

    [[nodiscard]] bool add(std::string_view text, bool last) noexcept {
        if (last && text.find('.') != std::string_view::npos)
            return add_v4(text);
        if (text.empty() || text.size() > 4 || size > 14)
            return false;
        unsigned value = 0;
        for (const char c : text) {
            const int digit = hex_digit(c);
            if (digit < 0)
                return false;
            value = value << 4 | static_cast<unsigned>(digit);
        }
        bytes[size++] = static_cast<std::uint8_t>(value >> 8);
        bytes[size++] = static_cast<std::uint8_t>(value & 0xff);
        return true;
    }

    [[nodiscard]] bool add_v4(std::string_view text) noexcept {
        const auto address = parse_v4(text);
        if (!address || size > 12)
            return false;
        for (const std::uint8_t octet : address->bytes())
            bytes[size++] = octet;
        return true;
    }

    [[nodiscard]] bool finish() noexcept {
        if (gap == npos)
            return size == 16;
        if (size > 14)
            return false;  // "::" stands for one group at least
        const std::size_t moved = size - gap;
        std::copy_backward(
            bytes.begin() + static_cast<std::ptrdiff_t>(gap),
            bytes.begin() + static_cast<std::ptrdiff_t>(size),
            bytes.end()
        );
        std::fill_n(
            bytes.begin() + static_cast<std::ptrdiff_t>(gap), 16 - moved - gap, 0
        );
        return true;
    }
};

std::optional<ipv6_address> parse_v6(std::string_view text) noexcept {
    std::uint32_t scope_id = 0;
    if (const auto percent = text.find('%'); percent != std::string_view::npos) {
        const std::int64_t value = decimal(text.substr(percent + 1), 0xffffffff);
        if (value <= 0)
            return std::nullopt;
        scope_id = static_cast<std::uint32_t>(value);
        text = text.substr(0, percent);
    }
    groups found;
    if (text.starts_with("::")) {
        found.gap = 0;
        text.remove_prefix(2);
    }
    bool more = !text.empty();
    if (!more && found.gap == groups::npos)
        return std::nullopt;
    while (more) {
        const auto colon = text.find(':');
        const bool last = colon == std::string_view::npos;
        if (!found.add(text.substr(0, colon), last))
            return std::nullopt;
        if (last)
            break;
        text.remove_prefix(colon + 1);
        if (text.starts_with(':')) {
            if (found.gap != groups::npos)
                return std::nullopt;
            found.gap = found.size;
            text.remove_prefix(1);
            more = !text.empty();
        }
    }
    if (!found.finish())
        return std::nullopt;
    return ipv6_address(found.bytes, scope_id);
}

unsigned group_at(const ipv6_address& address, std::size_t index) noexcept {
    return static_cast<unsigned>(address.bytes()[2 * index] << 8) |
           address.bytes()[2 * index + 1];
}

void append_hex(std::string& text, unsigned value) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (int shift = 12; shift >= 0; shift -= 4)
        if (shift == 0 || value >> shift)
            text += digits[value >> shift & 0xf];
}

/// The longest run of at least two zero groups, the first of several: RFC 5952, 4.2.
struct zero_run {
    std::size_t begin = 8;
    std::size_t size = 1;
};

zero_run longest_zero_run(const ipv6_address& address) noexcept {
    zero_run best;
    for (std::size_t i = 0; i < 8;) {
        std::size_t end = i;
        while (end < 8 && group_at(address, end) == 0)
            ++end;
        if (end - i > best.size)
            best = {i, end - i};
        i = end + 1;
    }
    return best;
}

}  // namespace

std::optional<ipv4_address> ipv6_address::mapped_v4() const noexcept {
    if (!std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes_.begin()))
        return std::nullopt;
    return ipv4_address({bytes_[12], bytes_[13], bytes_[14], bytes_[15]});
}

std::optional<ip_address> ip_address::parse(std::string_view text) noexcept {
    if (const auto v4 = parse_v4(text))
        return *v4;
    if (const auto v6 = parse_v6(text))
        return *v6;
    return std::nullopt;
}

std::string to_string(const ipv4_address& address) {
    const auto& octets = address.bytes();
    return describe(octets[0], '.', octets[1], '.', octets[2], '.', octets[3]);
}

std::string to_string(const ipv6_address& address) {
    std::string text;
    if (const auto v4 = address.mapped_v4()) {
        text = describe("::ffff:", *v4);
    } else {
        const zero_run run = longest_zero_run(address);
        for (std::size_t i = 0; i < 8; ++i) {
            if (i == run.begin) {
                text += "::";
                i += run.size - 1;
                continue;
            }
            if (!text.empty() && !text.ends_with(':'))
                text += ':';
            append_hex(text, group_at(address, i));
        }
    }
    if (address.scope_id() != 0)
        text += describe('%', address.scope_id());
    return text;
}

std::string to_string(const ip_address& address) {
    return address.is_v6() ? to_string(address.v6()) : to_string(address.v4());
}

std::string to_string(const ip_endpoint& endpoint) {
    if (!endpoint)
        return "unknown";
    if (endpoint.is_v6())
        return describe('[', endpoint.address().v6(), "]:", endpoint.port());
    return describe(endpoint.address().v4(), ':', endpoint.port());
}

}  // namespace anyio
