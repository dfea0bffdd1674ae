// SPDX-License-Identifier: MIT
#include "inbox.hpp"

#include <anyio/lowlevel/loop_state.hpp>

#include <utility>

namespace anyio::lowlevel {

namespace {

// What head_ holds when the loop has ended; never dereferenced.
alignas(void*) char closed_mark;

// Whether posts of this thread that come too late vanish, instead of being an error: while
// a loop ends, what it destroys or calls for the last time may post, and cannot tell that
// nobody will call it. Nor can the destructor of a function that has been refused.
thread_local bool drops_posts = false;

}  // namespace

inbox::closing::closing() noexcept : before_(std::exchange(drops_posts, true)) {}

inbox::closing::~closing() {
    drops_posts = before_;
}

inbox::~inbox() = default;

bool inbox::post(unique_function<void()> function) {
    auto* const closed = reinterpret_cast<item*>(&closed_mark);
    auto* const added = new item{nullptr, std::move(function)};
    item* head = head_.load(std::memory_order_relaxed);
    do {
        if (head == closed) {
            const bool dropped = drops_posts;
            const closing refusing;
            delete added;
            return dropped;
        }
        added->next = head;
    } while (!head_.compare_exchange_weak(head, added, std::memory_order_seq_cst));
    // One wake-up however many posts: only the post that finds the loop waiting sends it.
    // Sequentially consistent with begin_wait() and empty() on the loop's side: either
    // the loop sees the item, or we see that it waits.
    if (waiting_.exchange(false, std::memory_order_seq_cst)) {
        const std::lock_guard lock(mutex_);
        if (backend_)
            backend_->wake();
    }
    return true;
}

// Everything that was posted, oldest first; `leave` stands in its place.
inbox::item* inbox::take(item* leave) noexcept {
    item* newest = head_.exchange(leave, std::memory_order_acquire);
    item* oldest = nullptr;
    while (newest) {
        item* const next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

void inbox::run_oldest() noexcept {
    item* const running = std::exchange(oldest_, oldest_->next);
    running->function();
    delete running;
}

bool inbox::run_batch(std::uint64_t most_ticks) noexcept {
    if (empty())
        return false;
    if (!oldest_)
        oldest_ = take(nullptr);
    const std::uint64_t began = processor_ticks();
    do
        run_oldest();
    while (oldest_ && processor_ticks() - began < most_ticks);
    return true;
}

void inbox::close() noexcept {
    while (oldest_)
        run_oldest();
    oldest_ = take(reinterpret_cast<item*>(&closed_mark));
    while (oldest_)
        run_oldest();
    const std::lock_guard lock(mutex_);
    backend_ = nullptr;
}

}  // namespace anyio::lowlevel
