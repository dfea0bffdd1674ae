// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The io_uring backend: operations are handed to the kernel and complete there; one
/// system call submits a batch of them and waits for others (io_uring(7)).

#include <anyio/backends/backend.hpp>
#include <anyio/base/light_std.hpp>

namespace anyio::backends {

/// @throws os_error, std::bad_alloc
[[nodiscard]] std::unique_ptr<backend> make_io_uring_backend();

/// Why it does not work here; null if it does. Asks the kernel once.
[[nodiscard]] const char* io_uring_obstacle() noexcept;

}  // namespace anyio::backends
