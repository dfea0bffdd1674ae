// SPDX-License-Identifier: MIT
#include <anyio/synchronization/detail/borrower_set.hpp>

#include <algorithm>
#include <bit>

namespace anyio::detail {

// Fibonacci hashing: the upper bits of the product depend on all bits of the key.
std::size_t borrower_set::home(std::uint64_t value) const noexcept {
    constexpr std::uint64_t golden = 0x9E3779B97F4A7C15;
    return static_cast<std::size_t>(value * golden >> 32) & (slots_.size() - 1);
}

std::size_t borrower_set::find(std::uint64_t value) const noexcept {
    std::size_t at = home(value);
    while (slots_[at] != 0 && slots_[at] != value)
        at = (at + 1) & (slots_.size() - 1);
    return at;
}

void borrower_set::grow(std::size_t size) {
    constexpr std::size_t least = 8;
    std::vector<std::uint64_t> old(std::bit_ceil(std::max(least, size * 2)));
    old.swap(slots_);
    for (const std::uint64_t value : old)
        if (value != 0)
            slots_[find(value)] = value;
}

void borrower_set::insert(borrower_key key) noexcept {
    slots_[find(key.value_)] = key.value_;
    ++size_;
}

bool borrower_set::contains(borrower_key key) const noexcept {
    return !slots_.empty() && slots_[find(key.value_)] != 0;
}

bool borrower_set::erase(borrower_key key) noexcept {
    if (!contains(key))
        return false;
    // Closes the gap: whatever stands behind it, and could stand in it, moves up.
    std::size_t gap = find(key.value_);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = (gap + 1) & mask; slots_[at] != 0; at = (at + 1) & mask) {
        const std::size_t distance = (at - home(slots_[at])) & mask;
        if (distance >= ((at - gap) & mask)) {
            slots_[gap] = slots_[at];
            gap = at;
        }
    }
    slots_[gap] = 0;
    --size_;
    return true;
}

}  // namespace anyio::detail
