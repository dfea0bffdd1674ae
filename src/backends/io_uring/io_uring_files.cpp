// SPDX-License-Identifier: MIT
#include "io_uring_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>

#include <fcntl.h>
#include <sys/stat.h>

namespace anyio::backends {

namespace {

// A submission has 32 bits for the length; a result, 31.
unsigned length_of(const file_request& r) noexcept {
    constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
    return static_cast<unsigned>(std::min(r.size, most));
}

/// Whether writing may raise SIGPIPE: not of what has no other end.
bool may_be_broken(int fd) noexcept {
    struct stat status{};
    return ::fstat(fd, &status) == 0 && !S_ISREG(status.st_mode);
}

void prepare(const file_request& r, io_uring_sqe& sqe) noexcept {
    const auto offset = static_cast<std::uint64_t>(r.offset);
    switch (r.code) {
    case file_code::open:
        io_uring_prep_openat(&sqe, AT_FDCWD, r.path, r.flags | O_CLOEXEC, r.mode);
        break;
    case file_code::read:
        io_uring_prep_read(&sqe, r.fd, r.data, length_of(r), offset);
        break;
    case file_code::write:
        io_uring_prep_write(&sqe, r.fd, r.data, length_of(r), offset);
        // The signal is for the thread that writes. Those of the kernel have none.
        if (may_be_broken(r.fd))
            sqe.flags |= IOSQE_ASYNC;
        break;
    case file_code::sync:
        io_uring_prep_fsync(&sqe, r.fd, 0);
        break;
    case file_code::sync_data:
        io_uring_prep_fsync(&sqe, r.fd, IORING_FSYNC_DATASYNC);
        break;
    case file_code::close:
        io_uring_prep_close(&sqe, r.fd);
        break;
    }
}

}  // namespace

bool io_uring_files::submit(file_request& r) noexcept {
    r.cancelled = false;
    if (!hand_over(r)) {
        r.result = -ENOBUFS;
        return true;
    }
    ++pending_;
    return false;
}

bool io_uring_files::hand_over(file_request& r) noexcept {
    io_uring_sqe* const sqe = ring_.prepare();
    if (!sqe)
        return false;
    prepare(r, *sqe);
    io_uring_sqe_set_data(sqe, &r);
    return true;
}

void io_uring_files::cancel(file_request& r) noexcept {
    r.cancelled = true;
    ring_.cancel(reinterpret_cast<std::uintptr_t>(&r));
}

void io_uring_files::completed(const io_uring_cqe& cqe) noexcept {
    auto& r = *reinterpret_cast<file_request*>(cqe.user_data);
    r.result = cqe.res;
    if (cqe.res == -EINTR) {
        // Cancelling an operation that waits interrupts it; so may a signal, which says
        // nothing to us.
        if (!r.cancelled && hand_over(r))
            return;
        r.result = -ECANCELED;
    }
    --pending_;
    r.completed(r);
}

}  // namespace anyio::backends
