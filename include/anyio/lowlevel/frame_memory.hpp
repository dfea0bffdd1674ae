// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Memory for coroutine frames and task records: per-thread free lists, one set for
/// each 64 KiB page, so that what was laid out together stays together.

#include <anyio/base/config.hpp>

#include <cstddef>
#include <cstdint>
#include <new>

namespace anyio::lowlevel {

/// Bytes held for frames by the calling thread, and by all threads.
struct frame_memory_statistics {
    std::size_t pages = 0;          ///< 64 KiB pages held by this thread
    std::size_t blocks_in_use = 0;  ///< blocks of this thread's pages that are in use
};

/// What the calling thread's recycler holds. Zero if the library was built with the address
/// or the thread sanitizer: there every frame is an allocation of its own, so that a use
/// after its end is seen.
///
/// @threads  any
[[nodiscard]] frame_memory_statistics frame_memory() noexcept;

/// Gives up empty pages of the calling thread, `most` at the most, but keeps 1 MiB of them. A
/// loop does so by itself when it has nothing to do. Pages come in sixteens: memory goes back
/// to operator delete when all sixteen are given up.
///
/// @threads  any
void trim_frame_memory(std::size_t most) noexcept;

namespace detail {

/// Frames of one size class in one 64 KiB-aligned page.
///
/// mimalloc shards its free lists the same way (Leijen et al., MSR-TR-2019-18): a list
/// for the whole class would scramble the order of neighbours, which costs 4-7 times
/// when many tasks are cancelled in the order in which they were made.
struct frame_page {
    struct free_block {
        free_block* next;
    };

    free_block* free = nullptr;
    char* fresh = nullptr;  ///< never used so far: from here to `end`
    char* end = nullptr;
    struct frame_heap* heap = nullptr;
    struct frame_arena* arena = nullptr;
    std::uint32_t block_size = 0;
    std::uint32_t used = 0;
    /// The value of `used` at which a free has more to do: a full page becomes
    /// available again, an empty one may go. So the common free has one comparison.
    std::uint32_t watch = 0;
    std::uint32_t size_class = 0;
    frame_page* next = nullptr;  ///< in its class's list of pages with room
    frame_page* prev = nullptr;
    frame_page* heap_next = nullptr;  ///< in the list of all of its heap's pages
    frame_page* heap_prev = nullptr;
    bool listed = false;
};

inline constexpr std::size_t frame_page_size = std::size_t{64} * 1024;
inline constexpr std::size_t frame_granule = 32;
inline constexpr std::size_t frame_classes = 65;  ///< up to 2 KiB; larger: operator new
inline constexpr std::size_t largest_pooled_frame = frame_granule * (frame_classes - 1);

/// A page without any room; what a class without pages points to.
extern constinit frame_page no_frame_page;

/// The next coroutine frame made on this thread goes to `at` if it fits: how a spawned
/// task gets its record and its first frame in one allocation.
struct frame_slot {
    void* at = nullptr;  ///< null: closed, or taken
    std::size_t size = 0;
    std::size_t asked = 0;  ///< size of a frame that did not fit, or left much room
};

struct frame_heap {
    constexpr frame_heap() noexcept {
        for (auto& page : current)
            page = &no_frame_page;
    }

    frame_page* current[frame_classes];
    frame_page* with_room[frame_classes]{};  ///< oldest first
    frame_page* with_room_last[frame_classes]{};
    frame_page* all = nullptr;
    frame_arena* arenas = nullptr;
    std::size_t empty_pages = 0;
    void* remote = nullptr;  ///< blocks freed by other threads; accessed atomically
};

// These are the library's, not inline: modules that are linked or loaded apart, and hide
// their symbols, would have one each.

/// The calling thread's heap; without pages until the first one is needed.
extern constinit thread_local frame_heap* this_frame_heap ANYIO_TLS_FAST;

extern constinit thread_local frame_slot this_frame_slot ANYIO_TLS_FAST;

// Whether blocks come from pages is decided when the library is built. Sources with a
// sanitizer ask it; the others take pages for granted, so a library that has none does not
// have the functions that they need. The namespace is what the linker then says.
inline namespace ANYIO_ABI {

#if ANYIO_SANITIZED
[[nodiscard]] void* allocate_anywhere(std::size_t size);
void free_anywhere(void* block, std::size_t size) noexcept;
#else
[[nodiscard]] void* allocate_frame_slow(std::size_t size_class);
void free_frame_slow(frame_page& page) noexcept;
void free_frame_remote(frame_page& page, void* block) noexcept;
#endif

}  // namespace ANYIO_ABI

}  // namespace detail

// Their names differ where their bodies do: a linker keeps one body for each name.
inline namespace ANYIO_ABI {

/// `size` bytes, aligned to 32; 0 bytes are a block of their own as well.
///
/// @throws std::bad_alloc  if there is no memory
/// @threads any
[[nodiscard]] inline void* allocate_block(std::size_t size) {
#if ANYIO_SANITIZED
    return detail::allocate_anywhere(size);
#else
    using namespace detail;
    if (size > largest_pooled_frame) [[unlikely]]
        return ::operator new(size, std::align_val_t{frame_granule});
    const std::size_t size_class = (size + frame_granule - 1) / frame_granule;
    frame_page* page = this_frame_heap->current[size_class];
    if (auto* block = page->free) [[likely]] {
        page->free = block->next;
        ++page->used;
        return block;
    }
    return allocate_frame_slow(size_class);
#endif
}

/// Gives back what allocate_block(size) returned; from any thread.
inline void free_block(void* block, std::size_t size) noexcept {
#if ANYIO_SANITIZED
    detail::free_anywhere(block, size);
#else
    using namespace detail;
    if (size > largest_pooled_frame) [[unlikely]] {
        ::operator delete(block, size, std::align_val_t{frame_granule});
        return;
    }
    auto* page = reinterpret_cast<frame_page*>(
        reinterpret_cast<std::uintptr_t>(block) & ~(frame_page_size - 1)
    );
    if (page->heap != this_frame_heap) [[unlikely]] {
        free_frame_remote(*page, block);
        return;
    }
    auto* freed = static_cast<frame_page::free_block*>(block);
    freed->next = page->free;
    page->free = freed;
    if (--page->used == page->watch) [[unlikely]]
        free_frame_slow(*page);
#endif
}

}  // namespace ANYIO_ABI

}  // namespace anyio::lowlevel
