// SPDX-License-Identifier: MIT
#include <anyio/base/errors.hpp>
#include <anyio/networking/detail/stream_core.hpp>
#include <anyio/networking/socket_option.hpp>
#include "../backends/posix/system_calls.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>

#include <netinet/in.h>
#include <netinet/tcp.h>

namespace anyio::detail {

namespace {

struct native_option {
    const char* name;
    int level;
    int number;
};

native_option native(socket_option_id which) noexcept {
    switch (which) {
    case socket_option_id::no_delay:
        return {"no_delay", IPPROTO_TCP, TCP_NODELAY};
    case socket_option_id::keep_alive:
        return {"keep_alive", SOL_SOCKET, SO_KEEPALIVE};
    case socket_option_id::keep_alive_idle:
        return {"keep_alive_idle", IPPROTO_TCP, TCP_KEEPIDLE};
    case socket_option_id::keep_alive_interval:
        return {"keep_alive_interval", IPPROTO_TCP, TCP_KEEPINTVL};
    case socket_option_id::keep_alive_count:
        return {"keep_alive_count", IPPROTO_TCP, TCP_KEEPCNT};
    case socket_option_id::user_timeout:
        return {"user_timeout", IPPROTO_TCP, TCP_USER_TIMEOUT};
    case socket_option_id::not_sent_low_water:
        return {"not_sent_low_water", IPPROTO_TCP, TCP_NOTSENT_LOWAT};
    case socket_option_id::send_buffer_size:
        return {"send_buffer_size", SOL_SOCKET, SO_SNDBUF};
    case socket_option_id::receive_buffer_size:
        return {"receive_buffer_size", SOL_SOCKET, SO_RCVBUF};
    case socket_option_id::linger:
        break;
    }
    return {"linger", SOL_SOCKET, SO_LINGER};
}

[[noreturn]] void fail(
    const stream_core& stream, const char* operation, std::string_view option, int error
) {
    throw os_error(
        error, anyio::describe(operation, ' ', option, " of ", stream.describe("→"))
    );
}

void get(
    const stream_core& stream, const native_option& option, void* value, socklen_t& size
) {
    const int fd = stream.require_fd("get_option of");
    if (sys::getsockopt(fd, option.level, option.number, value, &size) != 0)
        fail(stream, "get_option", option.name, errno);
}

void set(
    const stream_core& stream,
    const native_option& option,
    const void* value,
    std::size_t size
) {
    const int fd = stream.require_fd("set_option of");
    const auto length = static_cast<socklen_t>(size);
    if (sys::setsockopt(fd, option.level, option.number, value, length) != 0)
        fail(stream, "set_option", option.name, errno);
}

}  // namespace

int to_whole(duration value, duration unit) noexcept {
    const auto rest = value % unit;
    const auto whole =
        value / unit + (rest > duration::zero()) - (rest < duration::zero());
    using limits = std::numeric_limits<int>;
    return static_cast<int>(
        std::clamp<duration::rep>(whole, limits::min(), limits::max())
    );
}

int get_option(const stream_core& stream, socket_option_id which) {
    if (which == socket_option_id::linger) {
        ::linger value{};
        socklen_t size = sizeof(value);
        get(stream, native(which), &value, size);
        return value.l_onoff != 0 ? value.l_linger : -1;
    }
    int value = 0;
    socklen_t size = sizeof(value);
    get(stream, native(which), &value, size);
    return value;
}

void set_option(const stream_core& stream, socket_option_id which, int value) {
    if (which != socket_option_id::linger) {
        // Linux takes the size of a buffer for unsigned.
        if (value < 0)
            throw usage_error(anyio::describe(
                "set_option ",
                native(which).name,
                " of ",
                stream.describe("→"),
                ": the value is negative"
            ));
        return set(stream, native(which), &value, sizeof(value));
    }
    if (value < -1)
        throw usage_error(anyio::describe(
            "set_option linger of ", stream.describe("→"), ": the time is negative"
        ));
    if (value > 0)
        throw usage_error(anyio::describe(
            "set_option linger of ",
            stream.describe("→"),
            ": closing would block the loop for ",
            value,
            " s; wait for the peer's end of the stream before you close, with a time limit"
        ));
    const ::linger native_value{value == 0 ? 1 : 0, 0};
    set(stream, native(which), &native_value, sizeof(native_value));
}

std::size_t get_option(
    const stream_core& stream, int level, int name, void* value, std::size_t size
) {
    const std::string text = anyio::describe(level, '/', name);
    auto length = static_cast<socklen_t>(size);
    get(stream, {text.c_str(), level, name}, value, length);
    return length;
}

void set_option(
    const stream_core& stream, int level, int name, const void* value, std::size_t size
) {
    const std::string text = anyio::describe(level, '/', name);
    set(stream, {text.c_str(), level, name}, value, size);
}

}  // namespace anyio::detail
