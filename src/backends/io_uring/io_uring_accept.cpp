// SPDX-License-Identifier: MIT
#include "io_uring_backend.hpp"
#include "submission.hpp"

#include <cerrno>
#include <cstddef>

namespace anyio::backends {

namespace {

// Connections that an armed accept may take out of the system's queue ahead of us. They
// have to be closed if the listener is.
constexpr std::size_t accepted_ahead = 16;

/// An accept that has ended like this is armed again if somebody waits.
constexpr bool says_nothing(std::int32_t result) noexcept {
    return result == -ECANCELED || result == -EINTR || result == -EAGAIN;
}

}  // namespace

/// True: it is complete.
bool io_uring_backend::submit_accept(entry& e, request& r) noexcept {
    if (e.has_accepted) {
        const auto [fd, more] = accepted_.take(e);
        e.has_accepted = more;
        r.result = fd;
        r.size = 0;  // an armed accept has one place for the addresses of all
        return true;
    }
    if (e.accepts || arm_accept(e))
        return false;
    r.result = -ENOBUFS;
    return true;
}

bool io_uring_backend::arm_accept(entry& e) noexcept {
    io_uring_sqe* const sqe = ring_.prepare();
    if (!sqe)
        return false;
    io_uring_prep_multishot_accept(
        sqe, e.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC
    );
    io_uring_sqe_set_data64(sqe, name_of(e, lane::accept));
    sys::about_to_submit(*sqe);
    e.accepts = true;
    ++e.in_kernel;
    return true;
}

/// A connection has come.
void io_uring_backend::accepted(entry& e, int fd) noexcept {
    if (e.leaving) {
        sys::close(fd);
    } else if (request* const r = e.reader) {
        r->result = fd;
        r->size = 0;
        finish(e.reader, false);
    } else {
        const std::size_t kept = accepted_.keep(e, fd);
        e.has_accepted = kept != 0;
        if (e.accepts && kept == accepted_ahead)
            ring_.cancel(name_of(e, lane::accept));
    }
}

void io_uring_backend::close_accepted(entry& e) noexcept {
    if (e.has_accepted)
        accepted_.close(e);
    e.has_accepted = false;
}

void io_uring_backend::accept_completed(entry& e, const io_uring_cqe& cqe) noexcept {
    if (!(cqe.flags & IORING_CQE_F_MORE)) {
        e.accepts = false;
        --e.in_kernel;
    }
    if (cqe.res >= 0) {
        accepted(e, cqe.res);
    } else if (e.reader && !says_nothing(cqe.res)) {
        e.reader->result = cqe.res;
        finish(e.reader, false);
    }
    if (e.leaving)
        return forget_if_done(e);
    // It was cancelled for having run ahead, say, and meanwhile somebody waits again.
    if (e.reader && !e.accepts && !arm_accept(e)) {
        e.reader->result = -ENOBUFS;
        finish(e.reader, false);
    }
}

}  // namespace anyio::backends
