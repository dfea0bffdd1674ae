// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// measure: how both sides of a comparison measure, so that they measure the same.
///
/// It replaces the global `operator new`, so exactly one source file of an executable may
/// include it.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <new>

#include <malloc.h>

namespace measure {

/// What `operator new` has given out and not got back, with malloc's own header.
inline constinit std::size_t live_bytes = 0;

inline void* allocate(std::size_t bytes) {
    void* memory = std::malloc(bytes == 0 ? 1 : bytes);
    if (memory == nullptr) {
        std::abort();
    }
    live_bytes += malloc_usable_size(memory) + sizeof(std::size_t);
    return memory;
}

inline void* allocate(std::size_t bytes, std::size_t alignment) {
    void* memory =
        std::aligned_alloc(alignment, (bytes + alignment - 1) & ~(alignment - 1));
    if (memory == nullptr) {
        std::abort();
    }
    live_bytes += malloc_usable_size(memory) + sizeof(std::size_t);
    return memory;
}

inline void release(void* memory) noexcept {
    if (memory != nullptr) {
        live_bytes -= malloc_usable_size(memory) + sizeof(std::size_t);
        std::free(memory);
    }
}

/// CPU seconds of this process, user and system, all threads.
inline double cpu_seconds() noexcept {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// State the result of a case: `units` of work in all; the tables show the time of one.
inline void report(benchmark::State& state, std::int64_t units) {
    state.SetItemsProcessed(units);
    state.counters["per_unit"] = benchmark::Counter(
        static_cast<double>(units),
        benchmark::Counter::Flags(
            benchmark::Counter::kIsRate | benchmark::Counter::kInvert
        )
    );
}

/// State the result of a case that measures memory.
inline void
report_bytes(benchmark::State& state, std::size_t bytes, std::size_t tasks) {
    state.counters["bytes"] = static_cast<double>(bytes) / static_cast<double>(tasks);
}

}  // namespace measure

// NOLINTBEGIN: the replaceable functions of the standard library
void* operator new(std::size_t bytes) {
    return measure::allocate(bytes);
}

void* operator new[](std::size_t bytes) {
    return measure::allocate(bytes);
}

void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return measure::allocate(bytes, static_cast<std::size_t>(alignment));
}

void operator delete(void* memory) noexcept {
    measure::release(memory);
}

void operator delete[](void* memory) noexcept {
    measure::release(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
    measure::release(memory);
}

void operator delete[](void* memory, std::size_t) noexcept {
    measure::release(memory);
}

void operator delete(void* memory, std::align_val_t) noexcept {
    measure::release(memory);
}

void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    measure::release(memory);
}

// NOLINTEND
