// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// How large the stack of the calling thread is.

namespace anyio::backends::posix {

/// The lowest address of the stack that `here` lies in; null if that is no stack of the
/// system's making.
[[nodiscard]] char* lowest_stack_address(char* here) noexcept;

}  // namespace anyio::backends::posix
