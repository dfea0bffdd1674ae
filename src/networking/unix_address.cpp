// SPDX-License-Identifier: MIT
#include <anyio/networking/unix_address.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>

#include <algorithm>

namespace anyio {

namespace {

std::string escaped(std::string_view name) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f)
            text += c;
        else
            (text += "\\x") += {digits[byte >> 4], digits[byte & 0xf]};
    }
    return text;
}

/// Why it cannot be a name; empty if it can.
std::string_view what_is_wrong_with(std::string_view name) noexcept {
    if (name.empty())
        return "the name is empty; an abstract one has a length of its own, as in "
               "\"\\0name\"sv";
    const bool is_abstract = name.front() == '\0';
    if (is_abstract && name.size() == 1)
        return "the abstract name is empty";
    if (name.size() > unix_address::max_size + (is_abstract ? 1 : 0))
        return "longer than 107 bytes; use a shorter path, or a relative one";
    if (!is_abstract && name.find('\0') != std::string_view::npos)
        return "there is a NUL inside of the path";
    return {};
}

}  // namespace

void unix_address::set(std::string_view name) noexcept {
    size_ = static_cast<std::uint8_t>(std::min(name.size(), name_.size()));
    std::copy_n(name.begin(), size_, name_.begin());
}

void unix_address::assign(std::string_view name) {
    if (const std::string_view wrong = what_is_wrong_with(name); !wrong.empty())
        throw usage_error(describe("unix_address \"", escaped(name), "\": ", wrong));
    set(name);
}

unix_address unix_address::abstract(std::string_view name) {
    std::string text(1, '\0');
    text += name;
    return unix_address(text);
}

std::optional<unix_address> unix_address::parse(std::string_view text) noexcept {
    unix_address result;
    const bool is_abstract = text.starts_with('@');
    if (is_abstract ? text.size() == 1 || text.size() > max_size + 1
                    : !what_is_wrong_with(text).empty())
        return std::nullopt;
    result.set(text);
    if (is_abstract)
        result.name_[0] = '\0';
    return result;
}

unix_address unix_address::from_system(std::string_view sun_path) noexcept {
    unix_address result;
    if (!sun_path.starts_with('\0'))
        sun_path = sun_path.substr(0, sun_path.find('\0'));
    result.set(sun_path);
    return result;
}

std::string to_string(const unix_address& address) {
    if (address.is_unnamed())
        return "unnamed";
    if (address.is_abstract())
        return '@' + escaped(address.name().substr(1));
    return (address.path().starts_with('@') ? "./" : "") + escaped(address.path());
}

}  // namespace anyio
