// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// memory_channel: what the two ends of a memory object stream share.

#include <anyio/streams/detail/memory_wait.hpp>

#include <cstddef>
#include <new>
#include <optional>
#include <string>
#include <utility>

namespace anyio::detail {

/// Items that wait for a receiver: a ring that grows up to the stream's capacity. The
/// numbers of pushed and popped items, kept by the channel, say which places are in use.
template <class T>
class memory_ring {
public:
    memory_ring() noexcept = default;

    memory_ring(memory_ring&& other) noexcept
        : items_(std::exchange(other.items_, nullptr)),
          mask_(std::exchange(other.mask_, 0)) {}

    ~memory_ring() { release(); }

    [[nodiscard]] std::size_t allocated() const noexcept {
        return items_ ? mask_ + 1 : 0;
    }

    [[nodiscard]] ANYIO_ALWAYS_INLINE T* at(std::size_t index) noexcept {
        return items_ + (index & mask_);
    }

    /// Doubles, and moves the items from `first` to `last` over. Nothing has changed if
    /// it throws.
    void grow(std::size_t first, std::size_t last) {
        const std::size_t size = items_ ? 2 * (mask_ + 1) : first_size;
        T* const items = std::allocator<T>().allocate(size);
        for (std::size_t i = first; i != last; ++i) {
            ::new (static_cast<void*>(items + (i & (size - 1)))) T(std::move(*at(i)));
            at(i)->~T();
        }
        release();
        items_ = items;
        mask_ = size - 1;
    }

private:
    static constexpr std::size_t first_size = 4;

    void release() noexcept {
        if (items_)
            std::allocator<T>().deallocate(items_, mask_ + 1);
    }

    T* items_ = nullptr;
    std::size_t mask_ = 0;  // the size, a power of two, less one
};

template <class T>
class memory_channel final : public memory_channel_core {
public:
    using memory_channel_core::memory_channel_core;

    ~memory_channel() { drop_all(); }

    /// Gives the item to a receiver or the buffer, if there is room.
    ///
    /// @throws std::bad_alloc  the item is untouched
    [[nodiscard]] ANYIO_ALWAYS_INLINE bool send_now(T& item) {
        if (receivers.front()) [[unlikely]] {
            put(*static_cast<memory_receiver<T>*>(receivers.unpark_first()), item);
            return true;
        }
        if (used() >= room) [[unlikely]] {
            if (used() >= capacity || open_receivers == 0)
                return false;
            grow();
        }
        push(item);
        return true;
    }

    /// Moves the oldest item to `place`, if there is an item.
    [[nodiscard]] bool receive_now(std::optional<T>& place) noexcept {
        union room_for_one {
            room_for_one() {}

            ~room_for_one() {}

            T item;
        } taken;

        if (!receive_now(&taken.item))
            return false;
        place.emplace(std::move(taken.item));
        taken.item.~T();
        return true;
    }

    /// The same; at `place` there is no object yet.
    [[nodiscard]] ANYIO_ALWAYS_INLINE bool receive_now(T* place) noexcept {
        if (pushed == popped) [[unlikely]] {
            if (!senders.front())
                return false;
            T& item = take(*static_cast<memory_sender<T>*>(senders.unpark_first()));
            ::new (static_cast<void*>(place)) T(std::move(item));
            return true;
        }
        T* const oldest = ring_.at(popped);
        ::new (static_cast<void*>(place)) T(std::move(*oldest));
        oldest->~T();
        ++popped;
        if (senders.front()) [[unlikely]]
            push(take(*static_cast<memory_sender<T>*>(senders.unpark_first())));
        return true;
    }

    /// Destroys what nobody can receive any more. Destructors may do anything, such as
    /// closing this stream's other handles.
    void drop_all() noexcept {
        memory_ring<T> dropped = std::move(ring_);
        room = 0;
        for (std::size_t i = std::exchange(popped, pushed); i != pushed; ++i)
            dropped.at(i)->~T();
    }

private:
    static void put(memory_receiver<T>& receiver, T& item) noexcept {
        ::new (static_cast<void*>(&receiver.item)) T(std::move(item));
        receiver.progress = memory_progress::done;
    }

    static T& take(memory_sender<T>& sender) noexcept {
        sender.progress = memory_progress::done;
        return sender.item();
    }

    ANYIO_ALWAYS_INLINE void push(T& item) noexcept {
        ::new (static_cast<void*>(ring_.at(pushed))) T(std::move(item));
        ++pushed;
        if (used() > peak)
            peak = used();
    }

    ANYIO_NOINLINE void grow() {
        ring_.grow(popped, pushed);
        room = ring_.allocated() < capacity ? ring_.allocated() : capacity;
    }

    memory_ring<T> ring_;
};

}  // namespace anyio::detail
