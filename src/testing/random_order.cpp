// SPDX-License-Identifier: MIT
#include <anyio/testing/random_order.hpp>

namespace anyio::testing {

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
std::size_t random_order::choose(std::size_t count) noexcept {
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
    mixed ^= mixed >> 31;
    return static_cast<std::size_t>(mixed % count);
}

}  // namespace anyio::testing
