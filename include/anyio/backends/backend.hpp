// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// backend: what an event loop must do; the narrow waist of the library.

#include <anyio/backends/request.hpp>
#include <anyio/base/light_std.hpp>
#include <anyio/base/time.hpp>

#include <cstddef>
#include <string_view>

namespace anyio::backends {

class file_service;

/// What cancel() answers.
enum class cancel_result : std::uint8_t {
    done,     ///< the request had no effect, and will not complete
    pending,  ///< it will complete, as cancelled or with its result
};

/// An event loop's connection with the operating system.
///
/// Children and signals need nothing of their own: a pidfd (pidfd_open(2)) and a
/// signalfd are descriptors that become readable.
///
/// Everything but wake() is called on the loop's thread. Nothing here runs code of users:
/// completions only put tasks into the ready queue.
class backend {
public:
    backend() = default;
    virtual ~backend() = default;

    backend(const backend&) = delete;
    backend& operator=(const backend&) = delete;

    [[nodiscard]] virtual std::string_view name() const noexcept = 0;

    /// Takes over an open descriptor: a non-blocking socket, or anything if it is only
    /// polled. Submitting to it may register it.
    ///
    /// @throws os_error        if the operating system refuses; `fd` stays the caller's
    /// @throws std::bad_alloc
    [[nodiscard]] virtual descriptor&
    attach(int fd, descriptor_kind kind = descriptor_kind::any) = 0;

    /// Closes it. What is pending on it completes with `closed`: now, or when the
    /// operating system lets go of it. Never waits.
    virtual void close(descriptor& target) noexcept = 0;

    /// Like close(), but gives the descriptor back open.
    [[nodiscard]] virtual int release(descriptor& target) noexcept = 0;

    /// Begins `r`. True: it is complete already, with its result; `completed` is not
    /// called. A second request of one direction on one descriptor completes with
    /// -EBUSY; look at `reader` and `writer` first to tell whose.
    [[nodiscard]] virtual bool submit(request& r) noexcept = 0;

    /// Only for a request that is pending, and once.
    [[nodiscard]] virtual cancel_result cancel(request& r) noexcept = 0;

    /// Waits until something completes, wake() is called, or `timeout` has passed, then
    /// calls `completed` for all that is complete. Zero: looks only. `forever`: no limit. A
    /// signal may end the wait early.
    virtual void wait(duration timeout) noexcept = 0;

    /// Makes a present or the next wait() return. From any thread, and signal handlers.
    virtual void wake() noexcept = 0;

    /// Who works on files without blocking the loop; null if nobody does, and a worker
    /// thread has to.
    [[nodiscard]] virtual file_service* files() noexcept { return nullptr; }

    /// Requests that have not completed, those on files too: what may still wake a task.
    [[nodiscard]] virtual std::size_t pending() const noexcept = 0;
};

}  // namespace anyio::backends
