// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Where faults may be put: only tests compile this (ANYIO_FAULTS), and only they define
/// the functions.

#include <cstddef>
#include <cstdint>
#include <limits>

struct epoll_event;

namespace anyio::sys::faults {

/// What may fail: a call, or the operation of an io_uring that stands for it.
enum class call : std::uint8_t {
    accept4,
    bind,
    close,
    connect,
    epoll_create1,
    epoll_ctl,
    epoll_pwait2,
    epoll_wait,
    eventfd,
    getpeername,
    getsockname,
    getsockopt,
    listen,
    poll,
    recv,
    recvmsg,
    send,
    sendfile,
    sendmsg,
    setsockopt,
    shutdown,
    socket,
    socketpair,
    count,  ///< how many there are
};

/// What a call shall do.
struct verdict {
    int error = 0;  ///< an errno; 0: nothing special
    /// It moves so many bytes at most, if it is a stream that it moves them on.
    std::size_t limit = std::numeric_limits<std::size_t>::max();
};

/// Asked before each call.
[[nodiscard]] verdict ask(call which) noexcept;

/// `fd` was said to have to wait, or to have no more, and maybe had not: an edge-triggered
/// loop has to hear of it again.
void again(int fd) noexcept;

/// `fd` is registered with an epoll instance, as again() needs to know.
void registered(int epoll, int fd, const epoll_event& event) noexcept;

}  // namespace anyio::sys::faults
