// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The system calls with faults: each first asks whether it shall fail. Only tests compile
/// this (ANYIO_FAULTS).

#include "fault_points.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>

#include <pthread.h>
#include <sys/uio.h>

namespace anyio::sys::faults {

[[nodiscard]] inline bool is_stream(int fd) noexcept {
    int type = 0;
    socklen_t size = sizeof(type);
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
           type == SOCK_STREAM;
}

/// The system moves less than was asked for only if there is no more, and reports when there
/// is (epoll(7), Q9); so what was held back here has to be reported too.
[[nodiscard]] inline std::size_t
shortened(int fd, std::size_t size, const verdict& v) noexcept {
    if (size <= v.limit || !is_stream(fd))
        return size;
    again(fd);
    return v.limit;
}

/// Whether it fails, with errno set.
[[nodiscard]] inline bool fails(const verdict& v) noexcept {
    if (v.error != 0)
        errno = v.error;
    return v.error != 0;
}

[[nodiscard]] inline bool fails_on(int fd, const verdict& v) noexcept {
    if (v.error == EAGAIN)
        again(fd);
    return fails(v);
}

/// A call that fails without any effect.
template <call Which, class Result, class... Parameters>
struct faulty_call {
    Result operator()(Parameters... arguments) const noexcept {
        return fails(ask(Which)) ? Result(-1) : function(arguments...);
    }

    Result (*function)(Parameters...);
};

template <call Which, class Result, class... Parameters>
constexpr auto faulty(Result (*function)(Parameters...)) noexcept {
    return faulty_call<Which, Result, Parameters...>{function};
}

/// recvmsg(2) and sendmsg(2).
template <auto Function, call Which, class Message>
struct faulty_message {
    ssize_t operator()(int fd, Message* message, int options) const noexcept {
        const verdict v = ask(Which);
        if (fails_on(fd, v))
            return -1;
        if (message->msg_iovlen == 0 || message->msg_iov->iov_len <= v.limit ||
            !is_stream(fd))
            return Function(fd, message, options);
        msghdr shorter = *message;
        iovec piece{message->msg_iov->iov_base, v.limit};
        shorter.msg_iov = &piece;
        shorter.msg_iovlen = 1;
        const ssize_t moved = Function(fd, &shorter, options);
        if constexpr (Which == call::recvmsg) {
            message->msg_namelen = shorter.msg_namelen;
            message->msg_controllen = shorter.msg_controllen;
            message->msg_flags = shorter.msg_flags;
        }
        return moved;
    }
};

}  // namespace anyio::sys::faults

namespace anyio::sys {

using faults::call;

inline constexpr auto bind = faults::faulty<call::bind>(&::bind);
inline constexpr auto epoll_create1 =
    faults::faulty<call::epoll_create1>(&::epoll_create1);
inline constexpr auto epoll_pwait2 =
    faults::faulty<call::epoll_pwait2>(&::epoll_pwait2);
inline constexpr auto epoll_wait = faults::faulty<call::epoll_wait>(&::epoll_wait);
inline constexpr auto eventfd = faults::faulty<call::eventfd>(&::eventfd);
inline constexpr auto getpeername = faults::faulty<call::getpeername>(&::getpeername);
inline constexpr auto getsockname = faults::faulty<call::getsockname>(&::getsockname);
inline constexpr auto getsockopt = faults::faulty<call::getsockopt>(&::getsockopt);
inline constexpr auto listen = faults::faulty<call::listen>(&::listen);
inline constexpr auto poll = faults::faulty<call::poll>(&::poll);
inline constexpr auto setsockopt = faults::faulty<call::setsockopt>(&::setsockopt);
inline constexpr auto shutdown = faults::faulty<call::shutdown>(&::shutdown);
inline constexpr auto socket = faults::faulty<call::socket>(&::socket);
inline constexpr auto socketpair = faults::faulty<call::socketpair>(&::socketpair);
inline constexpr faults::faulty_message<&::recvmsg, call::recvmsg, msghdr> recvmsg{};
inline constexpr faults::faulty_message<&::sendmsg, call::sendmsg, const msghdr>
    sendmsg{};

inline ssize_t recv(int fd, void* data, std::size_t size, int options) noexcept {
    const faults::verdict v = faults::ask(call::recv);
    if (faults::fails_on(fd, v))
        return -1;
    return ::recv(fd, data, faults::shortened(fd, size, v), options);
}

inline ssize_t send(int fd, const void* data, std::size_t size, int options) noexcept {
    const faults::verdict v = faults::ask(call::send);
    if (faults::fails_on(fd, v))
        return -1;
    return ::send(fd, data, faults::shortened(fd, size, v), options);
}

inline ssize_t sendfile(int fd, int from, off_t* offset, std::size_t size) noexcept {
    const faults::verdict v = faults::ask(call::sendfile);
    if (faults::fails_on(fd, v))
        return -1;
    const std::size_t most = faults::shortened(fd, size, v);
    const ssize_t moved = ::sendfile(fd, from, offset, most);
    // As if the peer had gone in the middle.
    if (most < size)
        ::pthread_kill(::pthread_self(), SIGPIPE);
    return moved;
}

inline int accept4(int fd, sockaddr* address, socklen_t* size, int options) noexcept {
    if (faults::fails_on(fd, faults::ask(call::accept4)))
        return -1;
    return ::accept4(fd, address, size, options);
}

// The descriptor is gone in any case (close(2), "Dealing with error returns").
inline int close(int fd) noexcept {
    const faults::verdict v = faults::ask(call::close);
    const int closed = ::close(fd);
    return faults::fails(v) ? -1 : closed;
}

// An interrupted one goes on by itself (connect(2), EINTR).
inline int connect(int fd, const sockaddr* address, socklen_t size) noexcept {
    const faults::verdict v = faults::ask(call::connect);
    if (v.error == EINTR)
        static_cast<void>(::connect(fd, address, size));
    return faults::fails(v) ? -1 : ::connect(fd, address, size);
}

inline int epoll_ctl(int epoll, int action, int fd, epoll_event* event) noexcept {
    if (faults::fails(faults::ask(call::epoll_ctl)))
        return -1;
    const int done = ::epoll_ctl(epoll, action, fd, event);
    if (done == 0 && action == EPOLL_CTL_ADD)
        faults::registered(epoll, fd, *event);
    return done;
}

}  // namespace anyio::sys
