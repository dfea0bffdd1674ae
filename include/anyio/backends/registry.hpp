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
/// that works here.
///
/// @throws lookup_error  if there is none of that name, or it does not work here; says
///                       why, and which ones do
[[nodiscard]] std::unique_ptr<backend> make_backend(std::string_view name);
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
