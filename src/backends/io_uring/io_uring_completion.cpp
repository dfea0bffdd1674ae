// SPDX-License-Identifier: MIT
#include <anyio/base/config.hpp>
#include "io_uring_backend.hpp"

#include <algorithm>
#include <cerrno>

#include <poll.h>

namespace anyio::backends {

void io_uring_backend::finish(request*& slot, bool closed) noexcept {
    request& done = *slot;
    slot = nullptr;
    --pending_;
    done.closed = closed;
    done.completed(done);
}

/// Whether an operation that has ended without a result is to be tried again.
bool io_uring_backend::must_go_on(const entry& e, const request& r) const noexcept {
    return !e.leaving && !e.is_cancelled(r.is_read() ? lane::read : lane::write);
}

/// What a completion says of its request; false: nothing yet.
ANYIO_ALWAYS_INLINE bool
io_uring_backend::interpret(entry& e, request& r, const io_uring_cqe& cqe) noexcept {
    if (is_by_readiness(r.code))
        return interpret_readiness(e, r, cqe.res);
    r.result = cqe.res;
    if (r.code == request_code::receive) {
        e.readable = cqe.res <= 0 || (cqe.flags & IORING_CQE_F_SOCK_NONEMPTY) != 0;
    } else if (r.code == request_code::poll_readable ||
               r.code == request_code::poll_writable) {
        if (cqe.res > 0)
            r.result = (cqe.res & POLLNVAL) != 0 ? -EBADF : 0;
    }
    return r.result >= 0 || interpret_failure(e, r);
}

/// The same where only readiness is waited for: what is not wanted any more is not begun.
bool io_uring_backend::interpret_readiness(
    entry& e, request& r, std::int32_t polled
) noexcept {
    if (must_go_on(e, r) && (polled >= 0 || polled == -EAGAIN || polled == -EINTR))
        return hand_over(e, r);
    r.result = must_go_on(e, r) ? polled : -ECANCELED;
    return true;
}

bool io_uring_backend::interpret_failure(entry& e, request& r) noexcept {
    // ENOBUFS of a receive that was to choose one: those are lent for this batch only.
    const bool lacks_buffer =
        r.result == -ENOBUFS && r.code == request_code::receive && !r.data;
    if (r.result != -EAGAIN && r.result != -EINTR && !lacks_buffer)
        return true;
    if (must_go_on(e, r))
        return hand_over(e, r);
    r.result = -ECANCELED;
    return true;
}

ANYIO_ALWAYS_INLINE void
io_uring_backend::completed(entry& e, lane which, const io_uring_cqe& cqe) noexcept {
    --e.in_kernel;
    request*& slot = which == lane::read ? e.reader : e.writer;
    request& r = *slot;
    const bool lent = (cqe.flags & IORING_CQE_F_BUFFER) != 0;
    const unsigned buffer = cqe.flags >> IORING_CQE_BUFFER_SHIFT;
    if (lent) {
        r.data = ring_.buffer(buffer);
        r.size = std::min(r.size, ring::buffer_size);
    }
    if (interpret(e, r, cqe)) {
        e.set_cancelled(which, false);
        finish(slot, e.leaving);
    }
    if (lent)
        ring_.give_back(buffer);
    if (e.leaving) [[unlikely]]
        forget_if_done(e);
}

void io_uring_backend::handle(const io_uring_cqe& cqe) noexcept {
    if (cqe.user_data == ignored)
        return;
    if (cqe.user_data == wake_up) {
        hears_wake_up_ = false;
        return;
    }
    const auto which = static_cast<lane>(cqe.user_data & lane_bits);
    if (which == lane::none)
        return files_.completed(cqe);
    auto& e = *reinterpret_cast<entry*>(cqe.user_data & ~lane_bits);
    completed(e, which, cqe);
}

}  // namespace anyio::backends
