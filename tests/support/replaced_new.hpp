// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// operator new that counts, and fails when it is told to. One source file of a test
/// program may include it.

#include <cstddef>
#include <cstdlib>
#include <new>

namespace support {

constexpr long unlimited = -1;

/// How many allocations of this thread succeed before one fails.
inline thread_local long allocations_left = unlimited;
/// Allocations of this thread so far.
inline thread_local std::size_t allocations = 0;

inline void* allocate(std::size_t size, std::size_t alignment) {
    if (allocations_left == 0)
        throw std::bad_alloc();
    if (allocations_left > 0)
        --allocations_left;
    ++allocations;
    const std::size_t whole = (size / alignment + 1) * alignment;  // never 0
    void* const memory = std::aligned_alloc(alignment, whole);
    if (!memory)
        throw std::bad_alloc();
    return memory;
}

}  // namespace support

// Not inline: g++ 12 then takes the free() in one for a mismatch with the `new` it sees
// (-Wmismatched-new-delete).
// NOLINTBEGIN: the replaceable functions of the standard library
[[gnu::noinline]] void* operator new(std::size_t size) {
    return support::allocate(size, alignof(std::max_align_t));
}

[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
    return support::allocate(size, static_cast<std::size_t>(alignment));
}

[[gnu::noinline]] void operator delete(void* memory) noexcept {
    std::free(memory);
}

[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}

[[gnu::noinline]] void
operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}

// NOLINTEND
