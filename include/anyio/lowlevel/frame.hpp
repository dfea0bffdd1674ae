// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// frame_link: how suspended frames and blocks hang together. For those who build
/// primitives; users of tasks never need it.

#include <anyio/base/config.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <source_location>
#include <type_traits>

namespace anyio::lowlevel {

struct frame_link;

/// How far an awaited coroutine is.
enum class frame_stage : std::uint8_t {
    unstarted,
    nested,  ///< it runs, called by the frame that awaits it, and has not suspended yet
    suspended,  ///< it has; when it ends, it resumes its parent
    first,      ///< of its task: nobody awaits it; when it ends, the scheduler is told
};

/// Where the outcome of an awaited coroutine goes. It lives in the awaiter, in the
/// frame of whoever awaits, and owns the coroutine until that has ended.
struct frame_owner {
    frame_link* child = nullptr;  ///< null once the child has been destroyed
    std::exception_ptr error;     ///< set when the child ended with an exception
    frame_stage stage = frame_stage::unstarted;
};

/// One step of an asynchronous call chain, from the innermost outward.
///
/// It is the first member of every promise and of every block, and both keep two
/// function pointers (resume, destroy) right before it: for promises that is the
/// frame layout of g++ and clang, for blocks we write them. So a link is all it takes
/// to resume either.
///
/// The pointers of a promise are set by whoever awaits it, and not before: a frame that
/// is made and awaited at once, as nearly all are, would have them written twice.
struct frame_link {
    frame_link* parent;         ///< continued when this has ended
    frame_owner* owner;         ///< null in a block: see block.hpp
    std::source_location site;  ///< of the `co_await` at which this last suspended

    [[nodiscard]] bool is_block() const noexcept { return owner == nullptr; }
};

/// What the frames of coroutines are aligned to: neither g++ 12 nor clang asks for more,
/// whatever is in them.
inline constexpr std::size_t max_alignment = 16;

/// Distance from a frame's address to its promise, on every 64-bit Itanium-ABI
/// compiler, for promises of ordinary alignment. tests/lowlevel/frame_test.cpp looks.
inline constexpr std::size_t promise_offset = 2 * sizeof(void*);

[[nodiscard]] ANYIO_ALWAYS_INLINE std::coroutine_handle<>
handle_of(frame_link* link) noexcept {
    return std::coroutine_handle<>::from_address(
        reinterpret_cast<char*>(link) - promise_offset
    );
}

[[nodiscard]] ANYIO_ALWAYS_INLINE frame_link*
link_of(std::coroutine_handle<> handle) noexcept {
    return reinterpret_cast<frame_link*>(
        static_cast<char*>(handle.address()) + promise_offset
    );
}

/// The frame or block that awaits an operation: what await_suspend() takes. A coroutine of
/// another library does not become one, since it has no link and no loop resumes it.
class awaiting_frame {
public:
    template <class Promise>
    ANYIO_ALWAYS_INLINE awaiting_frame(std::coroutine_handle<Promise> handle) noexcept
        : handle_(handle) {
        static_assert(
            std::is_base_of_v<frame_link, Promise>,
            "an operation of anyio can be awaited in a coroutine that returns "
            "anyio::task<...> or anyio::async_generator<...>, and in no other: only the "
            "loop of anyio knows how to resume it"
        );
    }

    ANYIO_ALWAYS_INLINE explicit awaiting_frame(frame_link* link) noexcept
        : handle_(handle_of(link)) {}

    ANYIO_ALWAYS_INLINE operator std::coroutine_handle<>() const noexcept {
        return handle_;
    }

private:
    std::coroutine_handle<> handle_;
};

}  // namespace anyio::lowlevel
