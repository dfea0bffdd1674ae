// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/frame_memory.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <memory>
#include <mutex>
#include <vector>

namespace anyio::lowlevel {

namespace detail {

constinit thread_local frame_slot this_frame_slot ANYIO_TLS_FAST{};

}  // namespace detail

#if ANYIO_SANITIZED

// Each block is an allocation of its own.
namespace detail {
inline namespace ANYIO_ABI {

void* allocate_anywhere(std::size_t size) {
    return ::operator new(size, std::align_val_t{frame_granule});
}

void free_anywhere(void* block, std::size_t size) noexcept {
    ::operator delete(block, size, std::align_val_t{frame_granule});
}

}  // namespace ANYIO_ABI
}  // namespace detail

void trim_frame_memory(std::size_t) noexcept {}

frame_memory_statistics frame_memory() noexcept {
    return {};
}

#else

namespace {

constexpr std::size_t spare_pages = 16;  // empty pages kept for the next burst: 1 MiB

}  // namespace

namespace detail {

/// Sixteen pages. One by one, malloc could not put them side by side, since each of its
/// blocks begins with a header: half of the memory would be lost between them.
struct frame_arena {
    char* memory;
    std::uint32_t free;  ///< one bit for each page
    frame_arena* next = nullptr;
    frame_arena* prev = nullptr;
};

namespace {

constinit frame_heap unset_frame_heap{};

}  // namespace

constinit frame_page no_frame_page{};
constinit thread_local frame_heap* this_frame_heap ANYIO_TLS_FAST = &unset_frame_heap;

namespace {

constexpr std::size_t pages_of_arena = 16;
constexpr std::uint32_t all_pages_free = (1U << pages_of_arena) - 1;

// A thread that ends leaves its heap to the next thread that needs one, since frames of
// it may be alive elsewhere (a task_handle that outlives its run). Nothing is leaked:
// the list reaches every heap.
struct idle_heaps {
    std::mutex mutex;
    std::vector<frame_heap*> heaps;
};

idle_heaps& idle() {
    static auto* list = new idle_heaps;  // never destroyed: threads may end after main
    return *list;
}

void release(frame_page& page) noexcept {
    (page.heap_prev ? page.heap_prev->heap_next : page.heap->all) = page.heap_next;
    if (page.heap_next)
        page.heap_next->heap_prev = page.heap_prev;
    frame_heap& heap = *page.heap;
    frame_arena& arena = *page.arena;
    const auto index =
        static_cast<std::size_t>(reinterpret_cast<char*>(&page) - arena.memory) /
        frame_page_size;
    arena.free |= 1U << index;
    if (arena.free != all_pages_free)
        return;
    (arena.prev ? arena.prev->next : heap.arenas) = arena.next;
    if (arena.next)
        arena.next->prev = arena.prev;
    ::operator delete(arena.memory, std::align_val_t{frame_page_size});
    delete &arena;
}

void append(frame_page*& first, frame_page*& last, frame_page& page) noexcept {
    page.prev = last;
    page.next = nullptr;
    (last ? last->next : first) = &page;
    last = &page;
    page.listed = true;
}

void unlist(frame_heap& heap, frame_page& page) noexcept {
    (page.prev ? page.prev->next : heap.with_room[page.size_class]) = page.next;
    (page.next ? page.next->prev : heap.with_room_last[page.size_class]) = page.prev;
    page.listed = false;
}

constexpr std::uint32_t never_watch = ~std::uint32_t{0};

// Blocks that other threads gave back.
void drain_remote(frame_heap& heap) noexcept {
    void* block = std::atomic_ref<void*>(heap.remote)
                      .exchange(nullptr, std::memory_order_acquire);
    while (block) {
        auto* freed = static_cast<frame_page::free_block*>(block);
        block = freed->next;
        auto* page = reinterpret_cast<frame_page*>(
            reinterpret_cast<std::uintptr_t>(freed) & ~(frame_page_size - 1)
        );
        freed->next = page->free;
        page->free = freed;
        if (--page->used == page->watch)
            free_frame_slow(*page);
    }
}

// Gives back the empty pages of one class, `most` at the most; says how many.
std::size_t
trim_class(frame_heap& heap, std::size_t size_class, std::size_t most) noexcept {
    std::size_t released = 0;
    for (frame_page* page = heap.with_room[size_class]; page && released < most;) {
        frame_page* const next = page->next;
        if (page->used == 0) {
            unlist(heap, *page);
            release(*page);
            ++released;
        }
        page = next;
    }
    heap.empty_pages -= released;
    return released;
}

// Hands the heap on when its thread ends.
struct heap_lease {
    ~heap_lease() {
        frame_heap* heap = this_frame_heap;
        if (heap == &unset_frame_heap)
            return;
        drain_remote(*heap);
        for (std::size_t c = 0; c < frame_classes; ++c)
            trim_class(*heap, c, never_watch);
        this_frame_heap = &unset_frame_heap;
        const std::lock_guard lock(idle().mutex);
        idle().heaps.push_back(heap);
    }
};

frame_heap& own_heap() {
    if (this_frame_heap != &unset_frame_heap)
        return *this_frame_heap;
    static thread_local heap_lease lease;
    (void)lease;
    const std::lock_guard lock(idle().mutex);
    auto& heaps = idle().heaps;
    heaps.reserve(heaps.size() + 1);  // so that the lease's push_back cannot throw
    if (heaps.empty()) {
        this_frame_heap = new frame_heap;
    } else {
        this_frame_heap = heaps.back();
        heaps.pop_back();
    }
    return *this_frame_heap;
}

frame_arena& arena_with_room(frame_heap& heap) {
    for (frame_arena* a = heap.arenas; a; a = a->next)
        if (a->free != 0)
            return *a;
    auto arena = std::make_unique<frame_arena>(nullptr, all_pages_free);
    arena->memory = static_cast<char*>(::operator new(
        pages_of_arena * frame_page_size, std::align_val_t{frame_page_size}
    ));
    arena->next = heap.arenas;
    if (heap.arenas)
        heap.arenas->prev = arena.get();
    heap.arenas = arena.release();
    return *heap.arenas;
}

frame_page& make_page(frame_heap& heap, std::size_t size_class) {
    frame_arena& arena = arena_with_room(heap);
    const auto index = static_cast<std::size_t>(std::countr_zero(arena.free));
    arena.free &= arena.free - 1;
    void* const memory = arena.memory + index * frame_page_size;
    auto* page = new (memory) frame_page;
    // Class 0 is for blocks of 0 bytes, which have addresses of their own.
    const std::size_t block_size = std::max<std::size_t>(size_class, 1) * frame_granule;
    constexpr std::size_t header =
        (sizeof(frame_page) + frame_granule - 1) / frame_granule * frame_granule;
    page->fresh = static_cast<char*>(memory) + header;
    page->end = page->fresh + (frame_page_size - header) / block_size * block_size;
    page->heap = &heap;
    page->arena = &arena;
    page->block_size = static_cast<std::uint32_t>(block_size);
    page->size_class = static_cast<std::uint32_t>(size_class);
    page->heap_next = heap.all;
    if (heap.all)
        heap.all->heap_prev = page;
    heap.all = page;
    return *page;
}

// Threads a few never-used blocks onto the free list, in address order: touching the
// whole page at once would waste memory in programs with few tasks.
void freshen(frame_page& page) noexcept {
    constexpr std::size_t at_once = 1024;
    frame_page::free_block** tail = &page.free;
    for (std::size_t bytes = 0; page.fresh != page.end && bytes < at_once;
         bytes += page.block_size) {
        auto* block = reinterpret_cast<frame_page::free_block*>(page.fresh);
        page.fresh += page.block_size;
        *tail = block;
        tail = &block->next;
    }
    *tail = nullptr;
}

}  // namespace

inline namespace ANYIO_ABI {

void* allocate_frame_slow(std::size_t size_class) {
    frame_heap& heap = own_heap();
    for (;;) {
        frame_page* page = heap.current[size_class];
        if (page != &no_frame_page) {
            if (!page->free && page->fresh != page->end)
                freshen(*page);
            if (auto* block = page->free) {
                page->free = block->next;
                ++page->used;
                return block;
            }
            page->watch = page->used - 1;  // full: the next free makes room
        }
        if (std::atomic_ref<void*>(heap.remote).load(std::memory_order_relaxed))
            drain_remote(heap);
        if (frame_page* roomy = heap.with_room[size_class]) {
            unlist(heap, *roomy);
            if (roomy->used == 0)
                --heap.empty_pages;
            page = roomy;
        } else {
            heap.current[size_class] = &no_frame_page;  // holds if the next line throws
            page = &make_page(heap, size_class);
        }
        page->watch = never_watch;
        heap.current[size_class] = page;
    }
}

void free_frame_slow(frame_page& page) noexcept {
    frame_heap& heap = *page.heap;
    if (!page.listed) {
        append(
            heap.with_room[page.size_class], heap.with_room_last[page.size_class], page
        );
        page.watch = 0;
        if (page.used != 0)
            return;
    }
    ++heap.empty_pages;  // kept: see trim_frame_memory()
}

void free_frame_remote(frame_page& page, void* block) noexcept {
    auto* freed = static_cast<frame_page::free_block*>(block);
    std::atomic_ref<void*> remote(page.heap->remote);
    void* head = remote.load(std::memory_order_relaxed);
    do {
        freed->next = static_cast<frame_page::free_block*>(head);
    } while (!remote.compare_exchange_weak(
        head, freed, std::memory_order_release, std::memory_order_relaxed
    ));
}

}  // namespace ANYIO_ABI

// For sources of a program that is built with a sanitizer: they must be served whatever
// the library's own sources do.
inline namespace ANYIO_ABI_WITH_SANITIZER {

void* allocate_anywhere(std::size_t size) {
    return allocate_block(size);
}

void free_anywhere(void* block, std::size_t size) noexcept {
    free_block(block, size);
}

}  // namespace ANYIO_ABI_WITH_SANITIZER

}  // namespace detail

// Returning a page costs a microsecond or two, so it is not done while there is work,
// but a few at a time when the loop has nothing else to do.
void trim_frame_memory(std::size_t most) noexcept {
    detail::frame_heap& heap = *detail::this_frame_heap;
    if (heap.empty_pages <= spare_pages)
        return;
    std::size_t left = std::min(most, heap.empty_pages - spare_pages);
    for (std::size_t c = 0; c < detail::frame_classes && left != 0; ++c)
        left -= detail::trim_class(heap, c, left);
}

frame_memory_statistics frame_memory() noexcept {
    frame_memory_statistics result;
    if (detail::this_frame_heap == &detail::unset_frame_heap)
        return result;
    detail::drain_remote(*detail::this_frame_heap);  // they are not in use any more
    for (const auto* page = detail::this_frame_heap->all; page;
         page = page->heap_next) {
        ++result.pages;
        result.blocks_in_use += page->used;
    }
    return result;
}

#endif

}  // namespace anyio::lowlevel
