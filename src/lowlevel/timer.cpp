// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/timer.hpp>

#include <new>

namespace anyio::lowlevel {

void deadline_queue::grow() {
    const std::size_t wanted = heap_.capacity() == 0 ? 128 : heap_.capacity() * 2;
    if (wanted > timer::idle)
        throw std::bad_alloc();  // timer::position could not tell them apart
    heap_.reserve(wanted);
}

void deadline_queue::remove(std::uint32_t at) noexcept {
    heap_[at].entry->position = timer::idle;
    const slot last = heap_.back();
    heap_.pop_back();
    if (at == heap_.size())
        return;  // it was the last: the usual case of a fresh timer
    heap_[at] = last;
    last.entry->position = at;
    if (at != 0 && last.deadline < heap_[(at - 1) / 4].deadline)
        sift_up(at);
    else
        sift_down(at);
}

void deadline_queue::sift_down(std::uint32_t at) noexcept {
    const slot moving = heap_[at];
    const auto size = static_cast<std::uint32_t>(heap_.size());
    for (;;) {
        const std::uint32_t first = at * 4 + 1;
        if (first >= size)
            break;
        const std::uint32_t end = first + 4 < size ? first + 4 : size;
        std::uint32_t least = first;
        for (std::uint32_t child = first + 1; child < end; ++child)
            if (heap_[child].deadline < heap_[least].deadline)
                least = child;
        if (moving.deadline <= heap_[least].deadline)
            break;
        place(at, heap_[least]);
        at = least;
    }
    place(at, moving);
}

void deadline_queue::move(timer& entry, time_point deadline) noexcept {
    const std::uint32_t at = entry.position;
    const bool earlier = deadline < heap_[at].deadline;
    heap_[at].deadline = deadline;
    if (earlier)
        sift_up(at);
    else
        sift_down(at);
}

timer* deadline_queue::pop_expired(time_point now) noexcept {
    if (heap_.empty() || heap_.front().deadline > now)
        return nullptr;
    timer* expired = heap_.front().entry;
    remove(0);
    return expired;
}

}  // namespace anyio::lowlevel
