// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// socket_option: what can be set on a socket, each with the type of its value.
/// Manual: docs/manual/networking.md#socket-options

#include <anyio/base/time.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace anyio {

namespace detail {

class stream_core;

enum class socket_option_id : std::uint8_t {
    no_delay,
    keep_alive,
    keep_alive_idle,
    keep_alive_interval,
    keep_alive_count,
    user_timeout,
    not_sent_low_water,
    send_buffer_size,
    receive_buffer_size,
    linger,
};

/// All of them go as a number through the one function that knows the system.
///
/// @throws os_error, closed_resource_error, usage_error
[[nodiscard]] int get_option(const stream_core& stream, socket_option_id which);
void set_option(const stream_core& stream, socket_option_id which, int value);

std::size_t get_option(
    const stream_core& stream, int level, int name, void* value, std::size_t size
);
void set_option(
    const stream_core& stream, int level, int name, const void* value, std::size_t size
);

/// Seconds or milliseconds, rounded away from 0: a time that is not 0 does not become 0.
[[nodiscard]] int to_whole(duration value, duration unit) noexcept;

}  // namespace detail

/// The base of an option: what its value is, and how the system has it, as a number.
template <class T, detail::socket_option_id Id>
struct typed_socket_option {
    using value_type = T;
    static constexpr detail::socket_option_id id = Id;

    [[nodiscard]] static constexpr int to_system(T value) noexcept {
        return static_cast<int>(value);
    }

    [[nodiscard]] static constexpr T from_system(int value) noexcept {
        if constexpr (std::same_as<T, bool>)
            return value != 0;
        else
            return static_cast<T>(value);
    }
};

/// The base of options that are times.
template <detail::socket_option_id Id, std::int64_t UnitInMilliseconds>
struct timed_socket_option {
    using value_type = duration;
    static constexpr detail::socket_option_id id = Id;
    static constexpr duration unit = std::chrono::milliseconds(UnitInMilliseconds);

    [[nodiscard]] static int to_system(duration value) noexcept {
        return detail::to_whole(value, unit);
    }

    [[nodiscard]] static constexpr duration from_system(int value) noexcept {
        return unit * value;
    }
};

/// The options of sockets: `stream.set_option<socket_option::no_delay>(false)`. Negative
/// numbers and times are a usage_error.
struct socket_option {
    /// TCP_NODELAY: small packets are sent at once. On, unless you turn it off.
    struct no_delay : typed_socket_option<bool, detail::socket_option_id::no_delay> {};

    /// SO_KEEPALIVE: ask a silent peer whether it is there, and break the connection if
    /// it is not.
    struct keep_alive
        : typed_socket_option<bool, detail::socket_option_id::keep_alive> {};

    /// TCP_KEEPIDLE: silence before the first question; whole seconds, rounded up.
    struct keep_alive_idle
        : timed_socket_option<detail::socket_option_id::keep_alive_idle, 1000> {};

    /// TCP_KEEPINTVL: between two questions; whole seconds, rounded up.
    struct keep_alive_interval
        : timed_socket_option<detail::socket_option_id::keep_alive_interval, 1000> {};

    /// TCP_KEEPCNT: questions without an answer that mean that the peer is gone.
    struct keep_alive_count
        : typed_socket_option<int, detail::socket_option_id::keep_alive_count> {};

    /// TCP_USER_TIMEOUT: how long what was sent may stay unacknowledged; 0: as the system
    /// has it, about 15 minutes.
    struct user_timeout
        : timed_socket_option<detail::socket_option_id::user_timeout, 1> {};

    /// TCP_NOTSENT_LOWAT: bytes that the system takes ahead of what it has sent.
    struct not_sent_low_water
        : typed_socket_option<int, detail::socket_option_id::not_sent_low_water> {};

    /// SO_SNDBUF, in bytes. Linux sets twice as much, for its own needs, and says so.
    struct send_buffer_size
        : typed_socket_option<int, detail::socket_option_id::send_buffer_size> {};

    /// SO_RCVBUF, in bytes; as the other.
    struct receive_buffer_size
        : typed_socket_option<int, detail::socket_option_id::receive_buffer_size> {};

    /// SO_LINGER: when the stream is closed, empty: the system goes on sending what it has
    /// taken; 0: it forgets that, and resets the connection. More is a usage_error: close(2)
    /// would block the loop for as long, non-blocking sockets or not.
    struct linger {
        using value_type = std::optional<duration>;
        static constexpr detail::socket_option_id id = detail::socket_option_id::linger;

        [[nodiscard]] static int to_system(const value_type& value) noexcept {
            if (!value)
                return -1;
            constexpr int negative = -2;  // is refused
            return *value < duration::zero()
                       ? negative
                       : detail::to_whole(*value, std::chrono::seconds(1));
        }

        [[nodiscard]] static constexpr value_type from_system(int value) noexcept {
            if (value < 0)
                return std::nullopt;
            return std::chrono::seconds(value);
        }
    };
};

/// One of the keys in socket_option.
template <class K>
concept socket_option_key = std::is_empty_v<K> && requires {
    typename K::value_type;
    { K::id } -> std::convertible_to<detail::socket_option_id>;
};

}  // namespace anyio
