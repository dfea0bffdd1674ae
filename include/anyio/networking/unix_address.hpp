// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// unix_address: where a UNIX socket is. Manual: docs/manual/networking.md#unix-sockets

#include <anyio/base/config.hpp>

#include <array>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace anyio {

class unix_address;

namespace detail {

/// What names a UNIX socket: text, and std::filesystem::path.
template <class T>
concept unix_name = !std::same_as<T, unix_address> &&
                    (std::convertible_to<const T&, std::string_view> ||
                     std::convertible_to<const T&, std::string>);

}  // namespace detail

/// The address of a UNIX socket: a path of the file system, a name of its own that no file
/// stands for ("abstract"), or none. A value, in 109 bytes.
///
/// @threads  any
class unix_address {
public:
    /// Bytes of a path, or of an abstract name: what sockaddr_un has room for.
    static constexpr std::size_t max_size = 107;

    /// Unnamed: what a socket has that was not bound, as a client usually is not.
    constexpr unix_address() noexcept = default;

    /// A path; or, as in anyio, an abstract name if the first character is NUL:
    /// `"\0name"sv`, not `"\0name"`, which has no length.
    ///
    /// Not explicit: `connect_unix("/run/service.sock")`.
    ///
    /// @throws usage_error  if `name` is empty, has more than `max_size` bytes, or is a
    ///                      path with a NUL in it
    template <detail::unix_name T>
    unix_address(const T& name) {
        if constexpr (std::convertible_to<const T&, std::string_view>)
            assign(static_cast<std::string_view>(name));
        else
            assign(static_cast<std::string>(name));
    }

    /// An abstract name, given without the NUL. Any bytes but none will do.
    ///
    /// Everybody in the network namespace may connect to it, or take it first: it has no
    /// permissions. Ask who the peer is.
    ///
    /// @throws usage_error  if `name` is empty or has more than `max_size` bytes
    [[nodiscard]] static unix_address abstract(std::string_view name);

    /// Reads what to_string() writes: `/run/service.sock`, `@name`.
    ///
    /// @returns  empty if it is none: empty, too long, or with a NUL in a path
    [[nodiscard]] static std::optional<unix_address>
    parse(std::string_view text) noexcept;

    [[nodiscard]] constexpr bool is_unnamed() const noexcept { return size_ == 0; }

    [[nodiscard]] constexpr bool is_abstract() const noexcept {
        return size_ != 0 && name_[0] == '\0';
    }

    [[nodiscard]] constexpr bool is_path() const noexcept {
        return size_ != 0 && name_[0] != '\0';
    }

    /// Whether there is one.
    [[nodiscard]] constexpr explicit operator bool() const noexcept {
        return !is_unnamed();
    }

    /// The path, or a NUL and the abstract name; empty if there is none. As long as this
    /// lives.
    [[nodiscard]] constexpr std::string_view name() const noexcept {
        return {name_.data(), size_};
    }

    /// Empty if it is no path.
    [[nodiscard]] constexpr std::string_view path() const noexcept {
        return is_path() ? name() : std::string_view();
    }

    friend constexpr auto
    operator<=>(const unix_address& a, const unix_address& b) noexcept {
        return a.name() <=> b.name();
    }

    friend constexpr bool
    operator==(const unix_address& a, const unix_address& b) noexcept {
        return a.name() == b.name();
    }

    /// For those who make sockets: what sockaddr_un has in `sun_path`. A path may end in
    /// NUL, or fill all of it (unix(7), "Pathname sockets").
    [[nodiscard]] static unix_address from_system(std::string_view sun_path) noexcept;

private:
    void assign(std::string_view name);
    void set(std::string_view name) noexcept;

    std::array<char, max_size + 1> name_{};  // the system may use the last one too
    std::uint8_t size_ = 0;
};

static_assert(sizeof(unix_address) == 109);
static_assert(std::is_trivially_destructible_v<unix_address>);  // for awaited calls

/// The path, or `@name`, as ss(8) has it; `unnamed`. A relative path that begins with `@`
/// gets a `./`, and control characters are `\x0a`, so that logs stay legible.
[[nodiscard]] std::string to_string(const unix_address& address);

}  // namespace anyio
