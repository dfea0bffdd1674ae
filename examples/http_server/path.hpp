// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What a path of a URL means.

#include <string>
#include <string_view>

/// Empty if it is malformed, or has a zero in it, where the kernel would end it.
[[nodiscard]] std::string percent_decoded(std::string_view text);

/// The Content-Type of a file with this name.
[[nodiscard]] std::string_view type_of(std::string_view path);
