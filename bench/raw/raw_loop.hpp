// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// raw_loop: the least a coroutine runtime can do; the floor that anyio is measured against.
///
/// Bare lazy coroutines, frames recycled by size, an intrusive ready queue, continuation by
/// symmetric transfer. There is no tree, no name, no cancellation, no exception, and
/// nothing is safe to misuse. It depends on nothing of anyio, so that a mistake there cannot
/// slow the floor too. Build with -O2: else g++ makes a transfer a call and the stack grows.

#include <coroutine>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <new>
#include <utility>

namespace raw {

/// Recycles coroutine frames: one list of spares per 16 bytes of size.
///
/// Fresh frames are carved from slabs in address order, so a crowd of tasks that is spawned
/// and destroyed in the same order walks through memory in a straight line.
class frame_pool {
public:
    [[nodiscard]] void* take(std::size_t bytes) {
        spare*& list = spares_[class_of(bytes)];
        return list != nullptr ? std::exchange(list, list->next)
                               : carve(class_of(bytes) * step);
    }

    void give(void* frame, std::size_t bytes) noexcept {
        spare*& list = spares_[class_of(bytes)];
        list = ::new (frame) spare{list};
    }

    /// Free every slab. No frame of this pool may be alive.
    void release() noexcept {
        while (slabs_ != nullptr) {
            ::operator delete(std::exchange(slabs_, slabs_->next));
        }
        *this = frame_pool{};
    }

private:
    struct spare {
        spare* next;
    };

    static constexpr std::size_t step = 16;
    static constexpr std::size_t classes = 65;  // frames of up to 1 KiB
    static constexpr std::size_t slab_bytes = 16 * 1024;

    static constexpr std::size_t class_of(std::size_t bytes) {
        return (bytes + step - 1) / step;
    }

    [[gnu::noinline]] void* carve(std::size_t bytes) {
        if (bytes > (classes - 1) * step) {
            std::abort();
        }
        if (left_ < bytes) {
            auto* memory = static_cast<std::byte*>(::operator new(slab_bytes));
            slabs_ = ::new (memory) spare{slabs_};
            fresh_ = memory + step;
            left_ = slab_bytes - step;
        }
        left_ -= bytes;
        return std::exchange(fresh_, fresh_ + bytes);
    }

    spare* spares_[classes] = {};
    spare* slabs_ = nullptr;
    std::byte* fresh_ = nullptr;  // the unused end of the newest slab
    std::size_t left_ = 0;
};

inline constinit thread_local frame_pool frames;

/// An empty pool for as long as this lives. Measurements of memory, and of crowds whose
/// order in memory matters, begin with one.
class fresh_frames {
public:
    fresh_frames() : saved_(std::exchange(frames, frame_pool{})) {}

    ~fresh_frames() {
        frames.release();
        frames = saved_;
    }

    fresh_frames(const fresh_frames&) = delete;
    fresh_frames& operator=(const fresh_frames&) = delete;

private:
    frame_pool saved_;
};

/// What every coroutine has: its place in one queue, and who continues when it ends.
struct promise_base {
    promise_base* next;  // set by whatever queue it stands in
    std::coroutine_handle<promise_base> continuation;  // empty in a child

    /// The frame that holds this promise. Every promise derives from `promise_base` alone
    /// and needs no stricter alignment, so all of them lie at the same offset.
    std::coroutine_handle<promise_base> handle() noexcept {
        return std::coroutine_handle<promise_base>::from_promise(*this);
    }

    /// The base part of the promise of any coroutine of this file.
    template <class Promise>
    static promise_base& of(std::coroutine_handle<Promise> handle) noexcept {
        static_assert(alignof(Promise) == alignof(promise_base));
        return handle.promise();
    }

    static void* operator new(std::size_t bytes) { return frames.take(bytes); }

    static void operator delete(void* frame, std::size_t bytes) noexcept {
        frames.give(frame, bytes);
    }

    std::suspend_always initial_suspend() noexcept { return {}; }

    [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
};

/// First in, first out; the coroutines themselves are the nodes.
struct queue {
    promise_base* first = nullptr;
    promise_base* last = nullptr;  // meaningless while first is null

    void push(promise_base& coroutine) noexcept {
        coroutine.next = nullptr;
        (first == nullptr ? first : last->next) = &coroutine;
        last = &coroutine;
    }

    /// Whom to run next: the oldest of the queue, or the loop when there is none.
    std::coroutine_handle<> pop() noexcept {
        return first != nullptr ? std::exchange(first, first->next)->handle()
                                : std::coroutine_handle<>{std::noop_coroutine()};
    }
};

inline constinit thread_local queue ready;

/// Run until no coroutine is ready.
inline void run_ready() {
    while (ready.first != nullptr) {
        ready.pop().resume();
    }
}

/// A coroutine that starts when it is awaited, which must happen exactly once.
template <class T>
class [[nodiscard]] task {
public:
    struct promise_type : promise_base {
        T value;

        task get_return_object() noexcept {
            return task{std::coroutine_handle<promise_type>::from_promise(*this)};
        }

        void return_value(T result) noexcept { value = result; }

        struct to_continuation {
            bool await_ready() noexcept { return false; }

            std::coroutine_handle<>
            await_suspend(std::coroutine_handle<promise_type> ended) noexcept {
                return ended.promise().continuation;
            }

            void await_resume() noexcept {}
        };

        to_continuation final_suspend() noexcept { return {}; }
    };

    bool await_ready() noexcept { return false; }

    template <class Promise>
    std::coroutine_handle<>
    await_suspend(std::coroutine_handle<Promise> caller) noexcept {
        handle_.promise().continuation = promise_base::of(caller).handle();
        return handle_;
    }

    T await_resume() noexcept {
        T value = handle_.promise().value;
        handle_.destroy();
        return value;
    }

private:
    explicit task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}

    std::coroutine_handle<promise_type> handle_;
};

/// Counts children and wakes the coroutine that waits for the last.
struct group {
    std::size_t running = 0;
    promise_base* joiner = nullptr;

    void child_ended() noexcept {
        if (--running == 0 && joiner != nullptr) {
            ready.push(*std::exchange(joiner, nullptr));
        }
    }
};

/// A coroutine that `spawn` starts. It frees its own frame; that frame is all there is.
struct child {
    struct promise_type : promise_base {
        group* owner;

        child get_return_object() noexcept {
            continuation = nullptr;
            return child{this};
        }

        void return_void() noexcept {}

        std::suspend_never final_suspend() noexcept {
            owner->child_ended();
            return {};
        }
    };

    promise_type* promise;
};

inline void spawn(group& owner, child coroutine) noexcept {
    ++owner.running;
    coroutine.promise->owner = &owner;
    ready.push(*coroutine.promise);
}

/// Run `root` and all that it spawns until nothing is ready.
inline void run(child root) {
    group all;
    spawn(all, root);
    run_ready();
}

}  // namespace raw
