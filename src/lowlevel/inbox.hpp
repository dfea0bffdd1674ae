// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// inbox: the lock-free door of a loop for other threads.

#include <anyio/backends/backend.hpp>
#include <anyio/base/unique_function.hpp>

#include <atomic>
#include <mutex>

namespace anyio::lowlevel {

/// A stack of posted functions, emptied in order of arrival; shared with the tokens.
class inbox {
public:
    explicit inbox(backends::backend& backend) noexcept : backend_(&backend) {}

    ~inbox();

    /// While one exists, posts of this thread to a loop that has ended vanish.
    class closing {
    public:
        closing() noexcept;
        ~closing();

        closing(const closing&) = delete;
        closing& operator=(const closing&) = delete;

    private:
        bool before_;
    };

    inbox(const inbox&) = delete;
    inbox& operator=(const inbox&) = delete;

    /// From any thread. False if the loop has ended, unless by a `closing`.
    [[nodiscard]] bool post(unique_function<void()> function);

    /// Runs what has been posted before the call, as far as `most_ticks` of the processor
    /// allow, but one at least: who posts without end must not stop the loop. The others
    /// are the first the next time. True if there was something.
    bool run_batch(std::uint64_t most_ticks) noexcept;

    [[nodiscard]] bool empty() const noexcept {
        return !oldest_ && head_.load(std::memory_order_seq_cst) == nullptr;
    }

    /// Between the two, post() wakes the backend; outside, the loop looks by itself.
    void begin_wait() noexcept { waiting_.store(true, std::memory_order_seq_cst); }

    void end_wait() noexcept { waiting_.store(false, std::memory_order_relaxed); }

    /// Refuses further posts, and runs those that came before.
    void close() noexcept;

private:
    struct item {
        item* next = nullptr;
        unique_function<void()> function;
    };

    [[nodiscard]] item* take(item* leave) noexcept;
    void run_oldest() noexcept;

    item* oldest_ = nullptr;  ///< taken, but not run yet; the loop's own
    std::atomic<item*> head_ = nullptr;
    std::atomic<bool> waiting_ = false;
    std::mutex mutex_;  // so that the backend does not go while it is woken
    backends::backend* backend_;
};

}  // namespace anyio::lowlevel
