// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The epoll backend: each descriptor is registered once, edge-triggered, and operations
/// are tried only while its flags say that they can succeed.

#include <anyio/backends/backend.hpp>

#include <memory>

namespace anyio::backends {

/// @throws os_error  if there is no descriptor left for it
[[nodiscard]] std::unique_ptr<backend> make_epoll_backend();

}  // namespace anyio::backends
