// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The io_uring backend: operations are handed to the kernel and complete there; one
/// system call submits a batch of them and waits for others (io_uring(7)). Its parts:
/// io_uring_backend.cpp submits, closes and waits, io_uring_completion.cpp says what
/// completions mean; io_uring_files.cpp is for files.

#include <anyio/backends/backend.hpp>
#include <anyio/base/light_std.hpp>
#include <anyio/base/unique_fd.hpp>
#include "../entry_pool.hpp"
#include "io_uring_files.hpp"
#include "ring.hpp"

#include <cstddef>
#include <cstdint>

namespace anyio::backends {

/// Which operation of a descriptor a completion belongs to: the low bits of user_data. Of
/// none: the address is a file_request's.
enum class lane : std::uint8_t { none, read, write };

inline constexpr std::uint64_t lane_bits = 3;
inline constexpr std::uint64_t wake_up = ~std::uint64_t{0};

/// One descriptor, in half a cache line. It stays an entry until the kernel has answered
/// all that names it.
struct alignas(32) io_uring_descriptor final : descriptor {
    /// Operations that have not completed for good: one of each lane at the most.
    std::uint8_t in_kernel = 0;
    /// A receive need not wait for readiness first. May be wrong, at the cost of a failed
    /// try in the kernel.
    bool readable : 1 = true;
    /// Closed, or released: what is pending ends as `closed`.
    bool leaving : 1 = false;
    bool read_cancelled : 1 = false;
    bool write_cancelled : 1 = false;

    // clang 19 does not assign to a conditional expression of bit-fields.
    [[nodiscard]] bool is_cancelled(lane which) const noexcept {
        return which == lane::read ? read_cancelled : write_cancelled;
    }

    void set_cancelled(lane which, bool is) noexcept {
        if (which == lane::read)
            read_cancelled = is;
        else
            write_cancelled = is;
    }
};

static_assert(sizeof(io_uring_descriptor) == 32);

[[nodiscard]] inline std::uint64_t
name_of(io_uring_descriptor& e, lane which) noexcept {
    return reinterpret_cast<std::uintptr_t>(&e) | static_cast<std::uint64_t>(which);
}

/// What is tried, and then waits until it can be tried again.
/// - accept: the kernel would take connections that nobody wants any more when they are
///   here, and that another process may be waiting for.
/// - send_file has no operation; those for datagrams and messages, tried again by the
///   kernel, send an empty datagram where a UNIX socket had no room for it (seen on Linux
///   6.18).
/// - connect, tried again by the kernel, never rests where a UNIX socket has no room for
///   it: that is writable all the time.
[[nodiscard]] constexpr bool is_by_readiness(request_code code) noexcept {
    return code == request_code::accept || code == request_code::send_datagram ||
           code == request_code::send_message || code == request_code::send_file ||
           code == request_code::connect;
}

class io_uring_backend final : public backend {
public:
    /// @throws os_error, std::bad_alloc
    io_uring_backend();
    ~io_uring_backend() override;

    [[nodiscard]] std::string_view name() const noexcept override { return "io_uring"; }

    [[nodiscard]] descriptor& attach(int fd, descriptor_kind) override {
        return entries_.take(fd);
    }

    void close(descriptor& target) noexcept override;
    [[nodiscard]] int release(descriptor& target) noexcept override;
    [[nodiscard]] bool submit(request& r) noexcept override;
    [[nodiscard]] cancel_result cancel(request& r) noexcept override;
    void wait(duration timeout) noexcept override;
    void wake() noexcept override;

    [[nodiscard]] std::size_t pending() const noexcept override {
        return pending_ + files_.pending();
    }

    [[nodiscard]] file_service* files() noexcept override { return &files_; }

private:
    using entry = io_uring_descriptor;

    [[nodiscard]] bool hand_over(entry& e, request& r) noexcept;
    void prepare(entry& e, request& r, io_uring_sqe& sqe) noexcept;
    void prepare_rarely(entry& e, request& r, io_uring_sqe& sqe) noexcept;
    void prepare_receive(entry& e, request& r, io_uring_sqe& sqe) noexcept;
    void leave(entry& e) noexcept;
    void handle(const io_uring_cqe& cqe) noexcept;
    void completed(entry& e, lane which, const io_uring_cqe& cqe) noexcept;
    [[nodiscard]] bool
    interpret(entry& e, request& r, const io_uring_cqe& cqe) noexcept;
    [[nodiscard]] bool
    interpret_readiness(entry& e, request& r, std::int32_t polled) noexcept;
    [[nodiscard]] bool interpret_failure(entry& e, request& r) noexcept;
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
    io_uring_files files_{ring_};
};

[[nodiscard]] std::unique_ptr<backend> make_io_uring_backend();

/// An errno if it does not work here and now, else 0.
[[nodiscard]] int io_uring_error() noexcept;

/// What such an errno means; null: 0.
[[nodiscard]] const char* explain_io_uring_error(int error) noexcept;

}  // namespace anyio::backends
