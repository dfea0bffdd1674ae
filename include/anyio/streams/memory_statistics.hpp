// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// memory_stream_capacity, memory_object_stream_statistics: numbers of memory.hpp.

#include <concepts>
#include <cstddef>
#include <limits>

namespace anyio {

/// The capacity of a stream whose senders never wait: `create_memory_object_stream<T>(
/// unbounded)`. A receiver that is slower than the senders then fills the memory.
struct unbounded_t {
    explicit constexpr unbounded_t(int) noexcept {}  // said by its name only
};

inline constexpr unbounded_t unbounded{0};

/// How many items a memory object stream buffers: a number, or `unbounded`.
class memory_stream_capacity {
public:
    /// @throws usage_error  if `items` is negative
    template <std::integral N>
        requires(!std::same_as<N, bool>)
    memory_stream_capacity(N items) : items_(static_cast<std::size_t>(items)) {
        if constexpr (std::signed_integral<N>)
            if (items < 0)
                refuse(items);
    }

    constexpr memory_stream_capacity(unbounded_t) noexcept
        : items_(std::numeric_limits<std::size_t>::max()) {}

    [[nodiscard]] constexpr std::size_t items() const noexcept { return items_; }

private:
    [[noreturn]] static void refuse(long long items);

    std::size_t items_;
};

/// What a memory object stream looks like at one moment; the same from both ends.
struct memory_object_stream_statistics {
    std::size_t current_buffer_used = 0;  ///< items
    /// Items; the largest std::size_t if it is unbounded.
    std::size_t max_buffer_size = 0;
    std::size_t peak_buffer_used = 0;      ///< the most items it has ever buffered
    std::size_t open_send_streams = 0;     ///< clones among them
    std::size_t open_receive_streams = 0;  ///< clones among them
    std::size_t tasks_waiting_send = 0;
    std::size_t tasks_waiting_receive = 0;

    friend bool
    operator==(const memory_object_stream_statistics&, const memory_object_stream_statistics&) =
        default;
};

}  // namespace anyio
