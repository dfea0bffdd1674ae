// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// perform: tries a request with a non-blocking system call. What readiness loops share.

#include <anyio/backends/request.hpp>
#include "system_calls.hpp"

#include <cerrno>
#include <cstdint>

namespace anyio::backends::posix {

/// How a try ended.
enum class attempt : std::uint8_t {
    complete,
    complete_and_short,  ///< complete, with less than was asked for
    would_wait,
};

/// The requests that are not on the hot path.
[[nodiscard]] attempt perform_rarely(request& r) noexcept;

[[nodiscard]] inline bool would_block() noexcept {
    return errno == EAGAIN || errno == EWOULDBLOCK;
}

/// What a failed call means; false: EINTR, try again.
[[nodiscard]] inline bool failed(request& r, attempt& ended) noexcept {
    if (errno == EINTR)
        return false;
    ended = would_block() ? attempt::would_wait : attempt::complete;
    if (ended == attempt::complete)
        r.result = -errno;
    return true;
}

/// Tries `r` on its descriptor. EINTR is tried again. Never blocks.
[[nodiscard]] inline attempt perform(request& r) noexcept {
    attempt ended{};
    ssize_t moved = 0;
    if (r.code == request_code::receive) {
        do {
            moved = sys::recv(r.target->fd, r.data, r.size, 0);
        } while (moved < 0 && !failed(r, ended));
    } else if (r.code == request_code::send) {
        do {
            moved = sys::send(r.target->fd, r.data, r.size, MSG_NOSIGNAL);
        } while (moved < 0 && !failed(r, ended));
    } else {
        return perform_rarely(r);
    }
    if (moved < 0) [[unlikely]]
        return ended;
    r.result = moved;
    // A short read has mostly emptied the socket, and the room that a short write has used
    // up brings an event of its own when it is there again (epoll(7), Q9). But an end of the
    // stream is there to stay.
    const bool is_short = static_cast<std::size_t>(moved) < r.size;
    return is_short && moved != 0 ? attempt::complete_and_short : attempt::complete;
}

}  // namespace anyio::backends::posix
