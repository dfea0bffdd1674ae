// SPDX-License-Identifier: MIT
#include "perform.hpp"

#include "no_sigpipe.hpp"

#include <cstddef>

namespace anyio::backends::posix {

namespace {

attempt finished(request& r, std::int64_t result) noexcept {
    r.result = result < 0 ? -errno : result;
    return attempt::complete;
}

attempt accept(request& r) noexcept {
    auto* const address = static_cast<sockaddr*>(r.data);
    auto length = static_cast<socklen_t>(r.size);
    int fd = -1;
    do {
        fd = sys::accept4(
            r.target->fd,
            address,
            address ? &length : nullptr,
            SOCK_NONBLOCK | SOCK_CLOEXEC
        );
    } while (fd < 0 && errno == EINTR);
    if (fd < 0 && would_block())
        return attempt::would_wait;
    if (fd >= 0)
        r.size = length;
    return finished(r, fd);
}

// The first try begins it; then `result` says so. Asking again how it went is one more
// connect(2), not getsockopt(SO_ERROR): that would take an event that is not about this
// connection for success. After EINTR the connection goes on by itself, so asking again is
// right there too.
attempt connect(request& r) noexcept {
    const auto* const address = static_cast<const sockaddr*>(r.data);
    bool begun = r.result == -EINPROGRESS;
    while (sys::connect(r.target->fd, address, static_cast<socklen_t>(r.size)) != 0) {
        if (errno == EISCONN && begun)
            break;
        if (errno == EINPROGRESS || errno == EALREADY) {
            r.result = -EINPROGRESS;
            return attempt::would_wait;
        }
        if (errno != EINTR)
            return finished(r, -1);
        begun = true;
    }
    return finished(r, 0);
}

// A datagram says nothing of whether another one waits, and a short stream of messages
// may be cut where descriptors were sent; so nothing is concluded from the sizes.
template <class Call>
attempt message(request& r, Call call, int flags) noexcept {
    ssize_t moved = 0;
    do {
        moved = call(r.target->fd, static_cast<msghdr*>(r.data), flags);
    } while (moved < 0 && errno == EINTR);
    return moved < 0 && would_block() ? attempt::would_wait : finished(r, moved);
}

attempt send_datagram(request& r) noexcept {
    ssize_t moved = 0;
    do {
        moved = sys::send(r.target->fd, r.data, r.size, MSG_NOSIGNAL);
    } while (moved < 0 && errno == EINTR);
    return moved < 0 && would_block() ? attempt::would_wait : finished(r, moved);
}

// Two calls more than the one that moves the bytes, for a piece of many pages, and a third
// one if it was cut short: then the peer may have gone in the middle, which raises SIGPIPE
// although the call succeeds.
attempt send_file(request& r) noexcept {
    const auto& piece = *static_cast<const file_piece*>(r.data);
    off_t offset = piece.offset;
    ssize_t moved = 0;
    int error = 0;
    {
        const no_sigpipe quiet;
        do {
            moved = sys::sendfile(r.target->fd, piece.fd, &offset, r.size);
        } while (moved < 0 && errno == EINTR);
        error = errno;
        if (moved < 0 ? error == EPIPE : static_cast<std::size_t>(moved) < r.size)
            quiet.forget();
    }
    errno = error;
    return moved < 0 && would_block() ? attempt::would_wait : finished(r, moved);
}

attempt poll(request& r, short events) noexcept {
    pollfd asked{r.target->fd, events, 0};
    int ready = 0;
    do {
        ready = sys::poll(&asked, 1, 0);
    } while (ready < 0 && errno == EINTR);
    if (ready == 0)
        return attempt::would_wait;
    if (ready > 0 && (asked.revents & POLLNVAL))
        errno = EBADF;
    return finished(r, ready < 0 || (asked.revents & POLLNVAL) ? -1 : 0);
}

}  // namespace

attempt perform_rarely(request& r) noexcept {
    switch (r.code) {
    case request_code::accept:
        return accept(r);
    case request_code::receive_message:
        return message(r, sys::recvmsg, MSG_CMSG_CLOEXEC);
    case request_code::send_datagram:
        return send_datagram(r);
    case request_code::send_message:
        return message(r, sys::sendmsg, MSG_NOSIGNAL);
    case request_code::send_file:
        return send_file(r);
    case request_code::connect:
        return connect(r);
    case request_code::poll_readable:
        return poll(r, POLLIN);
    case request_code::poll_writable:
        return poll(r, POLLOUT);
    case request_code::receive:
    case request_code::send:
        break;  // perform() does them
    }
    r.result = -EINVAL;
    return attempt::complete;
}

}  // namespace anyio::backends::posix
