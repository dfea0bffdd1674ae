// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// unique_fd: a file descriptor that is closed by its destructor.

#include <anyio/base/config.hpp>

#include <utility>

namespace anyio {

/// Owns a file descriptor, or none (-1).
///
/// A resource: it moves, it does not copy. Never blocks on purpose, and never closes
/// twice: whatever close(2) answers, the descriptor is gone.
///
/// @threads  any
class unique_fd {
public:
    unique_fd() noexcept = default;

    /// Takes `fd` over. Negative for none.
    explicit unique_fd(int fd) noexcept : fd_(fd < 0 ? -1 : fd) {}

    unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}

    unique_fd& operator=(unique_fd&& other) noexcept {
        reset(other.release());
        return *this;
    }

    unique_fd(const unique_fd&) = delete;  // two owners would close it twice
    unique_fd& operator=(const unique_fd&) = delete;

    ~unique_fd() { close(); }

    /// Gives the descriptor up without closing it; -1 if there was none.
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

    /// Closes what it has and takes `fd` over. `errno` keeps its value.
    void reset(int fd = -1) noexcept;

    /// Closes the descriptor, if there is one. `errno` keeps its value.
    ///
    /// @returns  0, or the errno of close(2): EIO, ENOSPC, EDQUOT tell that data
    ///           written to a file is lost. The descriptor is closed in any case.
    int close() noexcept;

    [[nodiscard]] int get() const noexcept { return fd_; }

    [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_ = -1;  // -1: none
};

}  // namespace anyio
