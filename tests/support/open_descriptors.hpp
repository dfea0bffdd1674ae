// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// open_descriptors: how many this process has.

#include <cstddef>
#include <filesystem>

namespace support {

inline std::size_t open_descriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator("/proc/self/fd"))
        ++count;
    return count;
}

}  // namespace support
