// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// memory_channel_core, memory_wait: the part of memory object streams that does not depend
/// on the items' type.

#include <anyio/lowlevel/parking_lot.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

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

/// A send or a receive. Most complete at once: what only those need that wait is set when
/// they do.
class memory_wait : public lowlevel::parked_wait {
public:
    static const lowlevel::wait_kind send_kind;
    static const lowlevel::wait_kind receive_kind;

    /// Of the stream, while the operation waits: the stream may be moved.
    [[nodiscard]] std::uint64_t handle_number() const noexcept { return number_; }

    memory_progress progress;  ///< set when the operation is done, or begins to wait

protected:
    explicit memory_wait(const memory_handle& stream) noexcept : stream_(&stream) {}

    ~memory_wait() {}

    [[nodiscard]] const memory_handle& stream() const noexcept { return *stream_; }

    /// From now on there is no stream().
    void
    enqueue_in(lowlevel::parking_lot& lot, const lowlevel::wait_kind& how) noexcept {
        kind = &how;
        number_ = stream_->number;
        progress = memory_progress::open;
        enqueue(lot);
    }

private:
    static lowlevel::abort_result abort(lowlevel::wait_record& record) noexcept;
    static void describe(const lowlevel::wait_record& record, std::string& out);

    union {
        const memory_handle* stream_;  // until it waits
        std::uint64_t number_;
    };
};

/// Small trivial items are held by waiting senders themselves; of others they know where
/// the caller keeps them, so that a send that is cut short has not taken the item.
template <class T>
inline constexpr bool held_by_value =
    std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T> &&
    sizeof(T) <= 2 * sizeof(void*);

/// A send, and its item.
template <class T>
class memory_sender : public memory_wait {
public:
    [[nodiscard]] T& item() noexcept {
        if constexpr (held_by_value<T>)
            return kept_;
        else
            return *kept_;
    }

protected:
    memory_sender(const memory_handle& stream, T& item) noexcept
        : memory_wait(stream), kept_(keep(item)) {}

    ~memory_sender() = default;

private:
    using kept = std::conditional_t<held_by_value<T>, T, T*>;

    static kept keep(T& item) noexcept {
        if constexpr (held_by_value<T>)
            return item;
        else
            return &item;
    }

    kept kept_;
};

/// A receive, and the place for its item.
template <class T>
class memory_receiver : public memory_wait {
public:
    union {
        T item;  ///< alive if `progress` is done
    };

protected:
    explicit memory_receiver(const memory_handle& stream) noexcept
        : memory_wait(stream) {
        if constexpr (!std::is_trivially_destructible_v<T>)
            progress = memory_progress::open;  // the destructor looks
    }

    ~memory_receiver() {
        if constexpr (!std::is_trivially_destructible_v<T>)
            if (progress == memory_progress::done)
                item.~T();
    }
};

[[noreturn]] void throw_send_failed(memory_progress why);
[[noreturn]] void throw_receive_failed(memory_progress why);
[[noreturn]] void throw_memory_stream_closed(const char* operation);
[[noreturn]] void throw_send_would_block(const memory_channel_core& core);
[[noreturn]] void throw_receive_would_block();

}  // namespace anyio::detail
