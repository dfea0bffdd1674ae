// SPDX-License-Identifier: MIT
#include "io_uring_backend.hpp"

#include <anyio/base/config.hpp>
#include <anyio/base/errors.hpp>
#include "../posix/perform.hpp"
#include "../posix/system_calls.hpp"
#include "submission.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>

namespace anyio::backends {

namespace {

// A submission has 32 bits for the length; a result, 31.
constexpr std::size_t most_at_once = std::numeric_limits<std::int32_t>::max();

}  // namespace

// Blocking, or reading it would not wait (io_uring takes O_NONBLOCK at its word).
io_uring_backend::io_uring_backend() : wake_(sys::eventfd(0, EFD_CLOEXEC)) {
    if (!wake_)
        throw os_error(errno, "eventfd");
}

// No task waits any more; but a listener may not know yet that its last request has ended.
io_uring_backend::~io_uring_backend() {
    ring_.cancel_all();
    ring_.reap([this](const io_uring_cqe& cqe) noexcept { handle(cqe); });
}

// --- submitting -------------------------------------------------------------------------

bool io_uring_backend::submit(request& r) noexcept {
    auto& e = static_cast<entry&>(*r.target);
    request*& slot = r.is_read() ? e.reader : e.writer;
    if (slot) {
        r.result = -EBUSY;
        return true;
    }
    if (hand_over(e, r))
        return true;
    slot = &r;
    ++pending_;
    return false;
}

/// True: it is complete.
bool io_uring_backend::hand_over(entry& e, request& r) noexcept {
    if (is_by_readiness(r.code) && posix::perform(r) != posix::attempt::would_wait)
        return true;
    io_uring_sqe* const sqe = ring_.prepare();
    if (!sqe) [[unlikely]] {
        r.result = -ENOBUFS;
        return true;
    }
    prepare(e, r, *sqe);
    ++e.in_kernel;
    return false;
}

ANYIO_ALWAYS_INLINE void
io_uring_backend::prepare(entry& e, request& r, io_uring_sqe& sqe) noexcept {
    if (r.code == request_code::receive)
        prepare_receive(e, r, sqe);
    else if (r.code == request_code::send)
        io_uring_prep_send(
            &sqe, e.fd, r.data, std::min(r.size, most_at_once), MSG_NOSIGNAL
        );
    else
        prepare_rarely(e, r, sqe);
    io_uring_sqe_set_data64(&sqe, name_of(e, r.is_read() ? lane::read : lane::write));
    sys::about_to_submit(sqe);
}

// A try that fails costs more than waiting for readiness; after a receive the kernel says
// whether it has left something.
ANYIO_ALWAYS_INLINE void
io_uring_backend::prepare_receive(entry& e, request& r, io_uring_sqe& sqe) noexcept {
    if (r.data) {
        io_uring_prep_recv(&sqe, e.fd, r.data, std::min(r.size, most_at_once), 0);
    } else {
        io_uring_prep_recv(&sqe, e.fd, nullptr, std::min(r.size, ring::buffer_size), 0);
        sqe.flags |= IOSQE_BUFFER_SELECT;
        sqe.buf_group = ring::buffer_group;
    }
    if (!e.readable)
        sqe.ioprio |= IORING_RECVSEND_POLL_FIRST;
}

void io_uring_backend::prepare_rarely(
    entry& e, request& r, io_uring_sqe& sqe
) noexcept {
    switch (r.code) {
    case request_code::receive_message:
        io_uring_prep_recvmsg(
            &sqe, e.fd, static_cast<msghdr*>(r.data), MSG_CMSG_CLOEXEC
        );
        break;
    case request_code::accept:
    case request_code::poll_readable:
        io_uring_prep_poll_add(&sqe, e.fd, POLLIN);
        break;
    default:
        io_uring_prep_poll_add(&sqe, e.fd, POLLOUT);
        break;
    }
}

cancel_result io_uring_backend::cancel(request& r) noexcept {
    auto& e = static_cast<entry&>(*r.target);
    const lane which = r.is_read() ? lane::read : lane::write;
    e.set_cancelled(which, true);
    ring_.cancel(name_of(e, which));
    return cancel_result::pending;
}

// --- closing ----------------------------------------------------------------------------

/// The descriptor is about to go.
void io_uring_backend::leave(entry& e) noexcept {
    e.leaving = true;
    if (e.reader)
        ring_.cancel(name_of(e, lane::read));
    if (e.writer)
        ring_.cancel(name_of(e, lane::write));
    // Now, and not at the next wait: as long as an operation is under way, the socket and
    // its port are in use, whatever becomes of the descriptor.
    if (e.in_kernel != 0)
        ring_.flush();
}

void io_uring_backend::forget_if_done(entry& e) noexcept {
    if (e.in_kernel == 0)
        entries_.give_back(e);
}

int io_uring_backend::release(descriptor& target) noexcept {
    auto& e = static_cast<entry&>(target);
    leave(e);
    const int fd = std::exchange(e.fd, -1);
    forget_if_done(e);
    return fd;
}

// Closing a socket does not block, so that a submission for it would only make it later.
void io_uring_backend::close(descriptor& target) noexcept {
    sys::close(release(target));
}

// --- waiting ----------------------------------------------------------------------------

void io_uring_backend::listen_for_wake_up() noexcept {
    io_uring_sqe* const sqe = ring_.prepare();
    if (!sqe)
        return;  // at the next wait, then
    io_uring_prep_read(sqe, wake_.get(), &wake_count_, sizeof(wake_count_), 0);
    io_uring_sqe_set_data64(sqe, wake_up);
    hears_wake_up_ = true;
}

void io_uring_backend::wait(duration timeout) noexcept {
    if (!hears_wake_up_) [[unlikely]]
        listen_for_wake_up();
    ring_.wait(timeout);
    ring_.reap([this](const io_uring_cqe& cqe) noexcept { handle(cqe); });
}

void io_uring_backend::wake() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof(one));
}

std::unique_ptr<backend> make_io_uring_backend() {
    return std::make_unique<io_uring_backend>();
}

int io_uring_error() noexcept {
    return ring::probe();
}

const char* explain_io_uring_error(int error) noexcept {
    switch (error) {
    case 0:
        return nullptr;
    case ENOSYS:
        return "the kernel has no io_uring";
    case EPERM:
    case EACCES:
        return "io_uring is forbidden here, by kernel.io_uring_disabled or a container's "
               "seccomp filter";
    case EINVAL:
        return "it needs Linux 6.1";
    case EMFILE:
    case ENFILE:
        return "there are no descriptors left";
    case ENOMEM:
        return "there is no memory for its ring, which counts as locked (RLIMIT_MEMLOCK, "
               "of all processes of the user together)";
    default:
        return "the kernel refused to set up a ring";
    }
}

}  // namespace anyio::backends
