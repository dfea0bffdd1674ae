// SPDX-License-Identifier: MIT
#include "perform.hpp"

#include "system_calls.hpp"

#include <cerrno>
#include <cstdint>
#include <sys/socket.h>

namespace anyio::backends::posix {

namespace {

attempt finished(request& r, std::int64_t result) noexcept {
    r.result = result < 0 ? -errno : result;
    return attempt::complete;
}

bool would_block() noexcept { return errno == EAGAIN || errno == EWOULDBLOCK; }

attempt receive(request& r) noexcept {
    ssize_t got = 0;
    do {
        got = sys::recv(r.target->fd, r.data, r.size, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && would_block()) return attempt::would_wait;
    finished(r, got);
    // A short read has emptied the socket: with edge-triggered notification the next
    // bytes, or the end, bring an event of their own (epoll(7), Q9).
    const bool drained = got > 0 && static_cast<std::size_t>(got) < r.size;
    return drained ? attempt::complete_and_drained : attempt::complete;
}

attempt send(request& r) noexcept {
    ssize_t sent = 0;
    do {
        sent = sys::send(r.target->fd, r.data, r.size, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && would_block()) return attempt::would_wait;
    finished(r, sent);
    const bool full = sent >= 0 && static_cast<std::size_t>(sent) < r.size;
    return full ? attempt::complete_and_drained : attempt::complete;
}

attempt accept(request& r) noexcept {
    int fd = -1;
    do {
        fd = sys::accept4(r.target->fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0 && would_block()) return attempt::would_wait;
    return finished(r, fd);
}

// The first try begins it, `size` being the length of the address; when the socket is
// writable, SO_ERROR tells how it went (connect(2), EINPROGRESS). EINTR is no reason to
// call again: the connection goes on by itself.
attempt connect(request& r) noexcept {
    if (r.size != 0) {
        const auto* const address = static_cast<const sockaddr*>(r.data);
        const int begun = sys::connect(r.target->fd, address, static_cast<socklen_t>(r.size));
        if (begun == 0) return finished(r, 0);
        if (errno != EINPROGRESS && errno != EINTR) return finished(r, -1);
        r.size = 0;
        return attempt::would_wait;
    }
    int error = 0;
    socklen_t length = sizeof(error);
    if (sys::getsockopt(r.target->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        return finished(r, -1);
    r.result = -error;
    return attempt::complete;
}

}  // namespace

attempt perform(request& r) noexcept {
    switch (r.code) {
    case request_code::receive: return receive(r);
    case request_code::send: return send(r);
    case request_code::accept: return accept(r);
    case request_code::connect: return connect(r);
    case request_code::poll_readable:
    case request_code::poll_writable: r.result = 0; return attempt::complete_and_drained;
    }
    r.result = -EINVAL;
    return attempt::complete;
}

}  // namespace anyio::backends::posix
