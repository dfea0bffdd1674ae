// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// memory_channel: what the two ends of a memory object stream share.

#include <anyio/lowlevel/parking_lot.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace anyio::detail {

/// How a send or a receive stands.
enum class memory_progress : std::uint8_t {
    open,    ///< it waits, or has not begun
    done,    ///< the item has changed hands
    ended,   ///< all senders are closed
    closed,  ///< its own stream was closed
    broken,  ///< all receivers are closed
};

/// The part that does not depend on the items' type.
///
/// Invariants: a receiver waits only at an empty buffer, and while no sender waits; a
/// sender waits only at a full one. `room` is how many items may be buffered without
/// growing the ring: so it is 0 with capacity 0, and when all receivers are closed.
class memory_channel_core {
public:
    explicit constexpr memory_channel_core(
        std::size_t limit, std::size_t ends = 1
    ) noexcept
        : capacity(limit), open_senders(ends), open_receivers(ends) {}

    memory_channel_core(const memory_channel_core&) = delete;  // ends hold its address
    memory_channel_core& operator=(const memory_channel_core&) = delete;

    /// Items in the buffer.
    [[nodiscard]] std::size_t used() const noexcept { return pushed - popped; }

    /// Closes one handle of a side, wakes whom that concerns, and tells whether it was
    /// the last of its side.
    bool close_sender(std::uint64_t handle) noexcept;
    bool close_receiver(std::uint64_t handle) noexcept;

    /// What the handle of a moved-from stream points to: closed, and never touched.
    static memory_channel_core nowhere;

    std::size_t pushed = 0;  ///< into the buffer, ever
    std::size_t popped = 0;  ///< out of the buffer, ever
    std::size_t room = 0;
    std::size_t peak = 0;
    lowlevel::parking_lot senders;
    lowlevel::parking_lot receivers;
    std::size_t capacity;
    std::size_t open_senders;
    std::size_t open_receivers;
    std::size_t references = 2;  ///< stream objects, closed ones too
    std::uint64_t last_handle = 2;

protected:
    ~memory_channel_core() = default;

private:
    static void wake_all(lowlevel::parking_lot& lot, memory_progress why) noexcept;
    static void
    wake_waits_of(lowlevel::parking_lot& lot, std::uint64_t handle) noexcept;
};

/// One of the stream objects that use a channel.
struct memory_handle {
    memory_channel_core* core;
    std::uint64_t number;  ///< 0: closed
};

/// A send or a receive that waits.
class memory_wait final : public lowlevel::parked_wait {
public:
    memory_wait(
        memory_handle of,
        lowlevel::parking_lot& lot,
        const lowlevel::wait_kind& k,
        memory_progress& told,
        void* place
    ) noexcept
        : parked_wait(lot, k), handle(of), progress(&told), item(place) {
        enqueue();
    }

    static const lowlevel::wait_kind send_kind;
    static const lowlevel::wait_kind receive_kind;

    memory_handle handle;
    memory_progress* progress;
    void* item;  ///< of a sender, the item; of a receiver, the place for it

private:
    static lowlevel::abort_result abort(lowlevel::wait_record& record) noexcept;
    static void describe(const lowlevel::wait_record& record, std::string& out);
};

/// The base of all operations on memory object streams. Most complete at once: what only
/// those need that wait is made when they do.
class memory_operation : public lowlevel::awaitable_base {
protected:
    explicit memory_operation(const memory_handle& stream) noexcept
        : stream_(&stream) {}

    ~memory_operation() {}

    void suspend(
        std::coroutine_handle<> leaf_handle,
        lowlevel::parking_lot& lot,
        const lowlevel::wait_kind& kind,
        void* item
    ) noexcept {
        lowlevel::loop_state& loop = *lowlevel::this_loop;
        lowlevel::frame_link* const leaf = lowlevel::link_of(leaf_handle);
        if (cancelled(*loop.current)) [[unlikely]]
            return unwind_now(loop, leaf);
        if (progress_ != memory_progress::open) [[unlikely]]
            return requeue(loop, leaf);  // the step's budget is used up
        ::new (static_cast<void*>(&wait_))
            memory_wait(*stream_, lot, kind, progress_, item);
        park(loop, leaf, wait_);
    }

    const memory_handle* stream_;
    memory_progress progress_ = memory_progress::open;

    union {
        memory_wait wait_;  // made by suspend(); trivially destructible
    };
};

[[noreturn]] void throw_send_failed(memory_progress why);
[[noreturn]] void throw_receive_failed(memory_progress why);
[[noreturn]] void throw_memory_stream_closed(const char* operation);
[[noreturn]] void throw_send_would_block(const memory_channel_core& core);
[[noreturn]] void throw_receive_would_block();

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

/// Small trivial items are held by waiting senders themselves; of others they know where
/// the caller keeps them, so that a send that is cut short has not taken the item.
template <class T>
inline constexpr bool held_by_value =
    std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T> &&
    sizeof(T) <= 2 * sizeof(void*);

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
            put(static_cast<memory_wait*>(receivers.unpark_first()), item);
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
            T& item = take(static_cast<memory_wait*>(senders.unpark_first()));
            ::new (static_cast<void*>(place)) T(std::move(item));
            return true;
        }
        T* const oldest = ring_.at(popped);
        ::new (static_cast<void*>(place)) T(std::move(*oldest));
        oldest->~T();
        ++popped;
        if (senders.front()) [[unlikely]]
            push(take(static_cast<memory_wait*>(senders.unpark_first())));
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
    static void put(memory_wait* receiver, T& item) noexcept {
        ::new (receiver->item) T(std::move(item));
        *receiver->progress = memory_progress::done;
    }

    static T& take(memory_wait* sender) noexcept {
        *sender->progress = memory_progress::done;
        return *static_cast<T*>(sender->item);
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

template <class T>
class memory_send_base : public memory_operation {
public:
    [[nodiscard]] ANYIO_ALWAYS_INLINE bool await_ready() {
        lowlevel::loop_state& loop = *lowlevel::this_loop;
        if (cancelled(*loop.current)) [[unlikely]]
            return false;
        if (stream_->number == 0) [[unlikely]]
            throw_send_failed(memory_progress::closed);
        auto& channel = static_cast<memory_channel<T>&>(*stream_->core);
        if (!channel.send_now(item())) {
            if (channel.open_receivers == 0) [[unlikely]]
                throw_send_failed(memory_progress::broken);
            return false;
        }
        progress_ = memory_progress::done;
        if (--loop.budget < 0) [[unlikely]]
            return false;
        return true;
    }

    void await_suspend(std::coroutine_handle<> handle) noexcept {
        suspend(handle, stream_->core->senders, memory_wait::send_kind, &item());
    }

    void await_resume() const {
        if (progress_ != memory_progress::done) [[unlikely]]
            throw_send_failed(progress_);
    }

protected:
    memory_send_base(const memory_handle& stream, T& item) noexcept
        : memory_operation(stream), kept_(keep(item)) {}

    ~memory_send_base() = default;

private:
    using kept = std::conditional_t<held_by_value<T>, T, T*>;

    static kept keep(T& item) noexcept {
        if constexpr (held_by_value<T>)
            return item;
        else
            return &item;
    }

    [[nodiscard]] T& item() noexcept {
        if constexpr (held_by_value<T>)
            return kept_;
        else
            return *kept_;
    }

    kept kept_;
};

/// Sends an item that stays the caller's until it has changed hands.
template <class T>
class [[nodiscard]] memory_send final : public memory_send_base<T> {
public:
    memory_send(const memory_handle& stream, T& item) noexcept
        : memory_send_base<T>(stream, item) {}
};

/// Sends a copy.
template <class T>
class [[nodiscard]] memory_send_copy final : private std::optional<T>,
                                             public memory_send_base<T> {
public:
    memory_send_copy(const memory_handle& stream, const T& item)
        : std::optional<T>(item),
          memory_send_base<T>(stream, **static_cast<std::optional<T>*>(this)) {}
};

template <class T>
class memory_receive_base : public memory_operation {
public:
    [[nodiscard]] ANYIO_ALWAYS_INLINE bool await_ready() {
        lowlevel::loop_state& loop = *lowlevel::this_loop;
        if (cancelled(*loop.current)) [[unlikely]]
            return false;
        if (stream_->number == 0) [[unlikely]]
            throw_receive_failed(memory_progress::closed);
        auto& channel = static_cast<memory_channel<T>&>(*stream_->core);
        if (channel.receive_now(&item_)) [[likely]] {
            progress_ = memory_progress::done;
        } else {
            if (channel.open_senders != 0)
                return false;
            progress_ = memory_progress::ended;
        }
        if (--loop.budget < 0) [[unlikely]]
            return false;
        return true;
    }

    void await_suspend(std::coroutine_handle<> handle) noexcept {
        suspend(handle, stream_->core->receivers, memory_wait::receive_kind, &item_);
    }

protected:
    explicit memory_receive_base(const memory_handle& stream) noexcept
        : memory_operation(stream) {}

    ~memory_receive_base() {
        if (progress_ == memory_progress::done)
            item_.~T();
    }

    union {
        T item_;  // alive if progress_ is done
    };
};

template <class T>
class [[nodiscard]] memory_receive final : public memory_receive_base<T> {
public:
    explicit memory_receive(const memory_handle& stream) noexcept
        : memory_receive_base<T>(stream) {}

    T await_resume() {
        if (this->progress_ != memory_progress::done) [[unlikely]]
            throw_receive_failed(this->progress_);
        return std::move(this->item_);
    }
};

template <class T>
class [[nodiscard]] memory_next final : public memory_receive_base<T> {
public:
    explicit memory_next(const memory_handle& stream) noexcept
        : memory_receive_base<T>(stream) {}

    std::optional<T> await_resume() {
        if (this->progress_ == memory_progress::done) [[likely]]
            return std::move(this->item_);
        if (this->progress_ == memory_progress::closed)
            throw_receive_failed(this->progress_);
        return std::nullopt;
    }
};

}  // namespace anyio::detail
