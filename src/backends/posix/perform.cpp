// SPDX-License-Identifier: MIT
#include "perform.hpp"

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
// connection for success. EINTR is like EINPROGRESS: the connection goes on by itself.
attempt connect(request& r) noexcept {
    const auto* const address = static_cast<const sockaddr*>(r.data);
    const bool begun = r.result == -EINPROGRESS;
    if (sys::connect(r.target->fd, address, static_cast<socklen_t>(r.size)) == 0)
        return finished(r, 0);
    if (errno == EINPROGRESS || errno == EALREADY || errno == EINTR) {
        r.result = -EINPROGRESS;
        return attempt::would_wait;
    }
    return begun && errno == EISCONN ? finished(r, 0) : finished(r, -1);
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
