// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// memory_channel_core, memory_wait: the part of memory object streams that does not depend
/// on the items' type.

#include <anyio/lowlevel/parking_lot.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

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

[[noreturn]] void throw_send_failed(memory_progress why);
[[noreturn]] void throw_receive_failed(memory_progress why);
[[noreturn]] void throw_memory_stream_closed(const char* operation);
[[noreturn]] void throw_send_would_block(const memory_channel_core& core);
[[noreturn]] void throw_receive_would_block();

}  // namespace anyio::detail
