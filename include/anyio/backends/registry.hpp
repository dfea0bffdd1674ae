// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The backends by name. Manual: docs/manual/basics.md#backends

#include <anyio/base/light_std.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace anyio::backends {
class backend;

/// A new backend. An empty name means `$ANYIO_BACKEND`, and without that the best one
/// that works here. For one that does not work here (a container may forbid io_uring),
/// the best one that does stands in, and a line on stderr says so, once; also where the one
/// that is best cannot be made for lack of something, such as memory that may be locked.
///
/// @throws lookup_error  if there is none of that name; says which ones there are
/// @throws os_error      if the operating system refuses what a backend needs
[[nodiscard]] std::unique_ptr<backend> make_backend(std::string_view name);

/// Why the backend of this name does not work in this process, on this kernel; empty if
/// it does.
///
/// @throws lookup_error  if there is none of that name; says which ones there are
/// @threads  any
[[nodiscard]] std::string unavailability(std::string_view name);
}  // namespace anyio::backends

namespace anyio {

/// The names of all backends of this build, best first.
///
/// @threads  any
/// @anyio    anyio.get_all_backends
[[nodiscard]] std::vector<std::string> get_all_backends();

/// Those that work in this process, on this kernel.
///
/// @threads  any
/// @anyio    anyio.get_available_backends
[[nodiscard]] std::vector<std::string> get_available_backends();

}  // namespace anyio
