// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ring: an io_uring as we set it up, and the buffers it may receive into.

#include <anyio/base/light_std.hpp>
#include <anyio/base/time.hpp>

#include <liburing.h>

#include <cstddef>
#include <cstdint>

namespace anyio::backends {

/// user_data of the completion of a cancellation, which says nothing.
inline constexpr std::uint64_t ignored = 0;

/// Needs Linux 6.1: one thread submits (IORING_SETUP_SINGLE_ISSUER), and completions are
/// worked off when that thread asks for them, not whenever it enters the kernel
/// (IORING_SETUP_DEFER_TASKRUN). No thread of the kernel polls for submissions: such a
/// ring would keep the rights of its maker whatever the process gives up later.
class ring {
public:
    /// @throws os_error
    ring();
    ~ring();

    ring(const ring&) = delete;
    ring& operator=(const ring&) = delete;

    /// An errno if a ring like this cannot be had here and now, else 0. Asks once more
    /// only as long as there has been none.
    [[nodiscard]] static int probe() noexcept;

    /// The next submission, cleared; it is handed over by the next wait(). Null if the
    /// kernel has no memory for those that are prepared already.
    [[nodiscard]] io_uring_sqe* prepare() noexcept {
        io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
        if (!sqe) [[unlikely]] {
            static_cast<void>(io_uring_submit(&ring_));
            sqe = io_uring_get_sqe(&ring_);
        }
        return sqe;
    }

    /// Cancels what was submitted with `user_data`: by the next wait(), or at once if there
    /// is no memory for a submission.
    void cancel(std::uint64_t user_data) noexcept;

    /// Cancels what is under way, and waits until it has ended.
    void cancel_all() noexcept;

    /// Hands over what was prepared, and has the kernel work off what it can.
    void flush() noexcept;

    /// Hands over what was prepared, then waits for a completion, or until `timeout` has
    /// passed. Zero: no system call if there is nothing to hand over or to work off.
    void wait(duration timeout) noexcept;

    /// Calls `f(const io_uring_cqe&)` for each completion; `f` may prepare submissions.
    template <class F>
    void reap(F f) noexcept {
        unsigned head = 0;
        unsigned count = 0;
        io_uring_cqe* cqe = nullptr;
        io_uring_for_each_cqe(&ring_, head, cqe) {
            f(*cqe);
            ++count;
        }
        io_uring_cq_advance(&ring_, count);
    }

    // --- buffers that the kernel chooses when something has come

    static constexpr int buffer_group = 0;
    static constexpr std::size_t buffer_size = std::size_t{64} * 1024;

    [[nodiscard]] std::byte* buffer(unsigned id) const noexcept {
        return buffers_.get() + id * buffer_size;
    }

    void give_back(unsigned id) noexcept;

private:
    void cancel_now(std::uint64_t user_data) noexcept;
    [[nodiscard]] int register_buffers() noexcept;  // an errno, 0 if all went well

    io_uring ring_{};
    io_uring_buf_ring* provided_ = nullptr;
    std::unique_ptr<std::byte[]> buffers_;
};

}  // namespace anyio::backends
