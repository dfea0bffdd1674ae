// SPDX-License-Identifier: MIT
#include "ring.hpp"

#include <anyio/base/errors.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>

#include <sys/mman.h>
#include <unistd.h>

namespace anyio::backends {

namespace {

constexpr unsigned submissions = 256;
// A burst of connections brings one completion each. What does not fit waits in the
// kernel (IORING_FEAT_NODROP), so this is for speed only.
constexpr unsigned completions = 4096;

// A batch of completions holds so many at a time; 2 MiB of address space, of which pages
// count that were used. When they run out, the receive is submitted again.
constexpr unsigned buffer_count = 32;

io_uring_params parameters() noexcept {
    io_uring_params wanted{};
    wanted.flags = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
                   IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
                   IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    wanted.cq_entries = completions;
    return wanted;
}

std::atomic<bool> has_been_made = false;

/// An errno, 0 if all went well.
int set_up(io_uring& made) noexcept {
    io_uring_params wanted = parameters();
    if (const int error = io_uring_queue_init_params(submissions, &made, &wanted))
        return -error;
    // A filter of system calls may know one of them only.
    if (const int error = io_uring_get_events(&made); error < 0) {
        io_uring_queue_exit(&made);
        return -error;
    }
    has_been_made = true;
    return 0;
}

}  // namespace

// What was possible once is taken to be possible: the kernel clears a ring away some time
// later, and one more each time would count against the limits of the next.
int ring::probe() noexcept {
    if (has_been_made)
        return 0;
    io_uring tried{};
    const int error = set_up(tried);
    if (error == 0)
        io_uring_queue_exit(&tried);
    return error;
}

ring::ring() {
    if (const int error = set_up(ring_))
        throw os_error(error, "io_uring_setup");
    // Now, since they count as locked memory too: who has this ring can use it.
    if (const int error = register_buffers()) {
        io_uring_queue_exit(&ring_);
        throw os_error(error, "io_uring_register");
    }
    // Saves the kernel looking up the descriptor at each call. Not needed, so it may fail.
    static_cast<void>(io_uring_register_ring_fd(&ring_));
}

ring::~ring() {
    static_cast<void>(io_uring_unregister_buf_ring(&ring_, buffer_group));
    ::munmap(provided_, buffer_count * sizeof(io_uring_buf));
    io_uring_queue_exit(&ring_);
}

// Closing a ring cancels everything too, but some time later: a listening socket would
// keep its port meanwhile.
void ring::cancel_all() noexcept {
    io_uring_sync_cancel_reg all{};
    all.flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL;
    all.timeout.tv_sec = -1;
    all.timeout.tv_nsec = -1;
    flush();
    static_cast<void>(io_uring_register_sync_cancel(&ring_, &all));
    static_cast<void>(io_uring_get_events(&ring_));
}

void ring::cancel(std::uint64_t user_data) noexcept {
    if (io_uring_sqe* const sqe = prepare()) {
        io_uring_prep_cancel64(sqe, user_data, 0);
        io_uring_sqe_set_data64(sqe, ignored);
    } else {
        cancel_now(user_data);
    }
}

void ring::cancel_now(std::uint64_t user_data) noexcept {
    flush();  // it may not have been submitted yet
    io_uring_sync_cancel_reg one{};
    one.addr = user_data;
    one.fd = -1;
    one.timeout.tv_sec = 0;  // its completion comes by itself
    static_cast<void>(io_uring_register_sync_cancel(&ring_, &one));
}

void ring::flush() noexcept {
    static_cast<void>(io_uring_submit_and_get_events(&ring_));
}

void ring::wait(duration timeout) noexcept {
    if (timeout == duration::zero()) {
        constexpr unsigned work = IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW;
        if (io_uring_sq_ready(&ring_) != 0 ||
            (IO_URING_READ_ONCE(*ring_.sq.kflags) & work) != 0)
            flush();
        return;
    }
    if (io_uring_cq_ready(&ring_) != 0)
        return flush();
    io_uring_cqe* first = nullptr;
    const std::int64_t ns = std::max(timeout, duration::zero()).count();
    __kernel_timespec limit{};
    limit.tv_sec = ns / 1'000'000'000;
    limit.tv_nsec = ns % 1'000'000'000;
    static_cast<void>(io_uring_submit_and_wait_timeout(
        &ring_, &first, 1, timeout == forever ? nullptr : &limit, nullptr
    ));
}

int ring::register_buffers() noexcept {
    buffers_.reset(new (std::nothrow) std::byte[buffer_count * buffer_size]);
    if (!buffers_)
        return ENOMEM;
    void* const shared = ::mmap(
        nullptr,
        buffer_count * sizeof(io_uring_buf),
        PROT_READ | PROT_WRITE,
        MAP_ANONYMOUS | MAP_PRIVATE,
        -1,
        0
    );
    if (shared == MAP_FAILED)
        return errno;
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(shared);
    registration.ring_entries = buffer_count;
    registration.bgid = buffer_group;
    if (const int error = io_uring_register_buf_ring(&ring_, &registration, 0)) {
        ::munmap(shared, buffer_count * sizeof(io_uring_buf));
        return -error;
    }
    provided_ = static_cast<io_uring_buf_ring*>(shared);
    io_uring_buf_ring_init(provided_);
    for (unsigned id = 0; id < buffer_count; ++id)
        give_back(id);
    return 0;
}

void ring::give_back(unsigned id) noexcept {
    io_uring_buf_ring_add(
        provided_,
        buffer(id),
        buffer_size,
        static_cast<unsigned short>(id),
        io_uring_buf_ring_mask(buffer_count),
        0
    );
    io_uring_buf_ring_advance(provided_, 1);
}

}  // namespace anyio::backends
