// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// perform: tries a request with a non-blocking system call. What readiness loops share.

#include <anyio/backends/request.hpp>

namespace anyio::backends::posix {

/// How a try ended.
enum class attempt : std::uint8_t {
    complete,
    complete_and_drained,  ///< complete, and the next try would have to wait
    would_wait,
};

/// Tries `r` on its descriptor. EINTR is tried again. Never blocks.
[[nodiscard]] attempt perform(request& r) noexcept;

}  // namespace anyio::backends::posix
