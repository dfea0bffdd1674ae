// SPDX-License-Identifier: MIT
#include "io_uring_backend.hpp"

#include <anyio/base/errors.hpp>
#include <anyio/base/unique_fd.hpp>
#include "../entry_pool.hpp"
#include "../posix/perform.hpp"
#include "ring.hpp"
#include "submission.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/eventfd.h>

namespace anyio::backends {

namespace {

/// Which operation of a descriptor a completion belongs to: the low bits of user_data.
enum class lane : std::uint8_t { none, read, write, accept };

constexpr std::uint64_t lane_bits = 3;
constexpr std::uint64_t ignored = 0;  // the completion of a cancellation
constexpr std::uint64_t wake_up = ~std::uint64_t{0};

/// One descriptor. It stays an entry until the kernel has answered all that names it.
struct entry final : descriptor {
    std::uint32_t in_kernel = 0;  ///< operations that have not completed for good
    /// A receive need not wait for readiness first. May be wrong, at the cost of a failed
    /// try in the kernel.
    bool readable = true;
    bool leaving = false;  ///< closed, or released: what is pending ends as `closed`
    bool read_cancelled = false;
    bool write_cancelled = false;
    bool accepts =
        false;  ///< an accept is armed that yields one connection after the other
    std::vector<int> accepted;  ///< connections, from `next` on nobody has asked for
    std::size_t next = 0;

    [[nodiscard]] bool has_accepted() const noexcept { return next != accepted.size(); }

    void close_accepted() noexcept {
        for (; has_accepted(); ++next)
            sys::close(accepted[next]);
    }
};

[[nodiscard]] std::uint64_t name_of(entry& e, lane which) noexcept {
    return reinterpret_cast<std::uintptr_t>(&e) | static_cast<std::uint64_t>(which);
}

// Connections that an armed accept may take out of the system's queue ahead of us. They
// have to be closed if the listener is.
constexpr std::size_t accepted_ahead = 16;

/// What is tried, and then waits for room to be tried again. There is no operation for
/// files; and those for datagrams and messages, tried again by the kernel, send an empty
/// datagram where a UNIX socket had no room for it (seen on Linux 6.18).
constexpr bool is_by_readiness(request_code code) noexcept {
    return code == request_code::send_datagram || code == request_code::send_message ||
           code == request_code::send_file;
}

class io_uring_backend final : public backend {
public:
    io_uring_backend();
    ~io_uring_backend() override;

    [[nodiscard]] std::string_view name() const noexcept override { return "io_uring"; }

    [[nodiscard]] descriptor& attach(int fd) override { return entries_.take(fd); }

    void close(descriptor& target) noexcept override;
    [[nodiscard]] int release(descriptor& target) noexcept override;
    [[nodiscard]] bool submit(request& r) noexcept override;
    [[nodiscard]] cancel_result cancel(request& r) noexcept override;
    void wait(duration timeout) noexcept override;
    void wake() noexcept override;

    [[nodiscard]] std::size_t pending() const noexcept override { return pending_; }

private:
    [[nodiscard]] bool hand_over(entry& e, request& r) noexcept;
    [[nodiscard]] bool prepare(entry& e, request& r, io_uring_sqe& sqe) noexcept;
    void prepare_receive(entry& e, request& r, io_uring_sqe& sqe) noexcept;
    [[nodiscard]] bool submit_accept(entry& e, request& r) noexcept;
    [[nodiscard]] bool arm_accept(entry& e) noexcept;
    void cancel_accept(entry& e) noexcept;
    void cancel_lane(entry& e, lane which) noexcept;
    void leave(entry& e) noexcept;
    void handle(const io_uring_cqe& cqe) noexcept;
    void accepted(entry& e, int fd) noexcept;
    void accept_completed(entry& e, const io_uring_cqe& cqe) noexcept;
    void completed(entry& e, lane which, const io_uring_cqe& cqe) noexcept;
    [[nodiscard]] bool
    interpret(entry& e, request& r, const io_uring_cqe& cqe) noexcept;
    [[nodiscard]] bool must_go_on(const entry& e, const request& r) const noexcept;
    void finish(request*& slot, bool closed) noexcept;
    void forget_if_done(entry& e) noexcept;
    void listen_for_wake_up() noexcept;

    entry_pool<entry> entries_{*this};
    unique_fd wake_;
    std::uint64_t wake_count_ = 0;  // where the kernel puts what it has read
    bool hears_wake_up_ = false;
    std::size_t pending_ = 0;
    ring ring_;
};

// Blocking, or reading it would not wait (io_uring takes O_NONBLOCK at its word).
io_uring_backend::io_uring_backend() : wake_(sys::eventfd(0, EFD_CLOEXEC)) {
    if (!wake_)
        throw os_error(errno, "eventfd");
}

// No task waits any more, but armed accepts go on.
io_uring_backend::~io_uring_backend() {
    ring_.cancel_all();
    ring_.reap([](const io_uring_cqe& cqe) noexcept {
        const auto which = static_cast<lane>(cqe.user_data & lane_bits);
        if (cqe.user_data != wake_up && which == lane::accept && cqe.res >= 0)
            sys::close(cqe.res);
    });
    for (entry* e : entries_.all())
        e->close_accepted();
}

// --- submitting -------------------------------------------------------------------------

bool io_uring_backend::submit(request& r) noexcept {
    auto& e = static_cast<entry&>(*r.target);
    request*& slot = r.is_read() ? e.reader : e.writer;
    if (slot) {
        r.result = -EBUSY;
        return true;
    }
    if (r.code == request_code::accept ? submit_accept(e, r) : hand_over(e, r))
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
    if (!sqe || !prepare(e, r, *sqe)) {
        r.result = -ENOBUFS;
        return true;
    }
    ++e.in_kernel;
    return false;
}

bool io_uring_backend::prepare(entry& e, request& r, io_uring_sqe& sqe) noexcept {
    switch (r.code) {
    case request_code::receive:
        if (!r.data && !ring_.provide_buffers()) {
            io_uring_prep_nop(&sqe);
            io_uring_sqe_set_data64(&sqe, ignored);
            return false;
        }
        prepare_receive(e, r, sqe);
        break;
    case request_code::receive_message:
        io_uring_prep_recvmsg(
            &sqe, e.fd, static_cast<msghdr*>(r.data), MSG_CMSG_CLOEXEC
        );
        break;
    case request_code::send:
        io_uring_prep_send(&sqe, e.fd, r.data, r.size, MSG_NOSIGNAL);
        break;
    case request_code::connect:
        io_uring_prep_connect(
            &sqe,
            e.fd,
            static_cast<const sockaddr*>(r.data),
            static_cast<socklen_t>(r.size)
        );
        break;
    case request_code::accept:
    case request_code::poll_readable:
        io_uring_prep_poll_add(&sqe, e.fd, POLLIN);
        break;
    case request_code::send_datagram:
    case request_code::send_message:
    case request_code::send_file:
    case request_code::poll_writable:
        io_uring_prep_poll_add(&sqe, e.fd, POLLOUT);
        break;
    }
    io_uring_sqe_set_data64(&sqe, name_of(e, r.is_read() ? lane::read : lane::write));
    sys::about_to_submit(sqe);
    return true;
}

// A try that fails costs more than waiting for readiness; after a receive the kernel says
// whether it has left something.
void io_uring_backend::prepare_receive(
    entry& e, request& r, io_uring_sqe& sqe
) noexcept {
    if (r.data) {
        io_uring_prep_recv(&sqe, e.fd, r.data, r.size, 0);
    } else {
        io_uring_prep_recv(&sqe, e.fd, nullptr, std::min(r.size, ring::buffer_size), 0);
        sqe.flags |= IOSQE_BUFFER_SELECT;
        sqe.buf_group = ring::buffer_group;
    }
    if (!e.readable)
        sqe.ioprio |= IORING_RECVSEND_POLL_FIRST;
}

void io_uring_backend::cancel_lane(entry& e, lane which) noexcept {
    if (io_uring_sqe* const sqe = ring_.prepare()) {
        io_uring_prep_cancel64(sqe, name_of(e, which), 0);
        io_uring_sqe_set_data64(sqe, ignored);
    } else {
        ring_.cancel_now(name_of(e, which));
    }
}

cancel_result io_uring_backend::cancel(request& r) noexcept {
    auto& e = static_cast<entry&>(*r.target);
    if (r.code == request_code::accept) {
        // The armed accept goes on; what it brings is kept for the next request.
        e.reader = nullptr;
        --pending_;
        return cancel_result::done;
    }
    (r.is_read() ? e.read_cancelled : e.write_cancelled) = true;
    cancel_lane(e, r.is_read() ? lane::read : lane::write);
    return cancel_result::pending;
}

// --- accepting --------------------------------------------------------------------------

/// True: it is complete.
bool io_uring_backend::submit_accept(entry& e, request& r) noexcept {
    if (e.has_accepted()) {
        r.result = e.accepted[e.next++];
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

/// An accept that has ended like this is armed again if somebody waits.
constexpr bool says_nothing(std::int32_t result) noexcept {
    return result == -ECANCELED || result == -EINTR || result == -EAGAIN;
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
        try {
            if (!e.has_accepted()) {
                e.accepted.clear();
                e.next = 0;
            }
            e.accepted.push_back(fd);
        } catch (const std::bad_alloc&) {
            sys::close(fd);
        }
        if (e.accepts && e.accepted.size() - e.next == accepted_ahead)
            cancel_lane(e, lane::accept);
    }
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

// --- completing -------------------------------------------------------------------------

void io_uring_backend::finish(request*& slot, bool closed) noexcept {
    request& done = *slot;
    slot = nullptr;
    --pending_;
    done.closed = closed;
    done.completed(done);
}

/// Whether an operation that has ended without a result is to be tried again.
bool io_uring_backend::must_go_on(const entry& e, const request& r) const noexcept {
    return !e.leaving && !(r.is_read() ? e.read_cancelled : e.write_cancelled);
}

/// What a completion says of its request; false: nothing yet.
bool io_uring_backend::interpret(
    entry& e, request& r, const io_uring_cqe& cqe
) noexcept {
    r.result = cqe.res;
    switch (r.code) {
    case request_code::receive:
        e.readable = cqe.res <= 0 || (cqe.flags & IORING_CQE_F_SOCK_NONEMPTY) != 0;
        break;
    case request_code::poll_readable:
    case request_code::poll_writable:
        if (cqe.res > 0)
            r.result = (cqe.res & POLLNVAL) != 0 ? -EBADF : 0;
        break;
    case request_code::send_datagram:
    case request_code::send_message:
    case request_code::send_file:
        if (cqe.res > 0 && posix::perform(r) == posix::attempt::would_wait)
            r.result = -EAGAIN;
        break;
    default:
        break;
    }
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

void io_uring_backend::completed(
    entry& e, lane which, const io_uring_cqe& cqe
) noexcept {
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
        (which == lane::read ? e.read_cancelled : e.write_cancelled) = false;
        finish(slot, e.leaving);
    }
    if (lent)
        ring_.give_back(buffer);
    if (e.leaving)
        forget_if_done(e);
}

void io_uring_backend::handle(const io_uring_cqe& cqe) noexcept {
    if (cqe.user_data == ignored)
        return;
    if (cqe.user_data == wake_up) {
        hears_wake_up_ = false;
        return;
    }
    auto& e = *reinterpret_cast<entry*>(cqe.user_data & ~lane_bits);
    const auto which = static_cast<lane>(cqe.user_data & lane_bits);
    if (which == lane::accept)
        accept_completed(e, cqe);
    else
        completed(e, which, cqe);
}

// --- closing ----------------------------------------------------------------------------

/// The descriptor is about to go.
void io_uring_backend::leave(entry& e) noexcept {
    e.leaving = true;
    e.close_accepted();
    if (e.reader && e.reader->code == request_code::accept) {
        e.reader->result = -ECANCELED;
        finish(e.reader, true);
    } else if (e.reader) {
        cancel_lane(e, lane::read);
    }
    if (e.writer)
        cancel_lane(e, lane::write);
    if (e.accepts)
        cancel_lane(e, lane::accept);
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

}  // namespace

std::unique_ptr<backend> make_io_uring_backend() {
    return std::make_unique<io_uring_backend>();
}

const char* io_uring_obstacle() noexcept {
    static const int error = ring::probe();
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
    default:
        return "the kernel refused to set up a ring";
    }
}

}  // namespace anyio::backends
