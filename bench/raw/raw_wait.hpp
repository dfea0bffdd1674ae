// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// raw_wait: the waits of the raw runtime: yield, join, event, parking place, channel.

#include "raw_loop.hpp"

#include <bit>
#include <coroutine>
#include <cstddef>
#include <utility>
#include <vector>

namespace raw {

/// The part that all waits share: each is `await_ready`, a place to stand, and a transfer to
/// whoever is ready next. `Wait::enqueue` records the waiting coroutine.
template <class Wait>
struct wait_base {
    bool await_ready() noexcept { return false; }

    template <class Promise>
    std::coroutine_handle<>
    await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
        static_cast<Wait*>(this)->enqueue(promise_base::of(waiter));
        return ready.pop();
    }

    void await_resume() noexcept {}
};

/// `co_await yield{}`: let everyone else who is ready run first.
struct yield : wait_base<yield> {
    void enqueue(promise_base& waiter) noexcept { ready.push(waiter); }
};

/// `co_await join{group}`: wait until all children have ended.
struct join : wait_base<join> {
    explicit join(group& children) noexcept : children_(&children) {}

    bool await_ready() noexcept { return children_->running == 0; }

    void enqueue(promise_base& waiter) noexcept { children_->joiner = &waiter; }

private:
    group* children_;
};

/// A flag for one waiter that is unset again by the wait that saw it.
class event {
public:
    void set() noexcept {
        if (waiter_ != nullptr) {
            ready.push(*std::exchange(waiter_, nullptr));
        } else {
            is_set_ = true;
        }
    }

    struct wait_operation : wait_base<wait_operation> {
        explicit wait_operation(event& awaited) noexcept : awaited_(&awaited) {}

        bool await_ready() noexcept { return std::exchange(awaited_->is_set_, false); }

        void enqueue(promise_base& waiter) noexcept { awaited_->waiter_ = &waiter; }

    private:
        event* awaited_;
    };

    [[nodiscard]] wait_operation wait() noexcept { return wait_operation{*this}; }

private:
    promise_base* waiter_ = nullptr;
    bool is_set_ = false;
};

/// Where coroutines wait for something that never happens.
class parking_place {
public:
    struct park_operation : wait_base<park_operation> {
        explicit park_operation(parking_place& place) noexcept : place_(&place) {}

        void enqueue(promise_base& waiter) noexcept {
            waiter.next = std::exchange(place_->newest_, &waiter);
        }

    private:
        parking_place* place_;
    };

    [[nodiscard]] park_operation park() noexcept { return park_operation{*this}; }

    /// Unwind everyone: destroy the frames of each, innermost first, newest coroutine first.
    ///
    /// That is the reverse of the order in which the frames were made, so memory is walked
    /// in a straight line, and the recycler hands the frames out in the old order again.
    /// Oldest first takes a zigzag through memory and four times as long.
    /// The group of the unwound children is the caller's to settle.
    void unwind_all() noexcept {
        for (promise_base* leaf = std::exchange(newest_, nullptr); leaf != nullptr;) {
            auto frame = std::exchange(leaf, leaf->next)->handle();
            while (frame) {
                auto outer = frame.promise().continuation;
                frame.destroy();
                frame = outer;
            }
        }
    }

private:
    promise_base* newest_ = nullptr;
};

/// A bounded first-in-first-out of integers between one sender and one receiver.
///
/// A waiting receiver is handed its item directly; with capacity 0 a waiting sender is
/// robbed of its item directly. Invariant: whoever waits, waits because nothing else is
/// possible: a receiver only at an empty buffer, a sender only at a full one.
class channel {
public:
    explicit channel(std::size_t capacity)
        : buffer_(std::bit_ceil(capacity + 1)), mask_(buffer_.size() - 1),
          capacity_(capacity) {}

    class send_operation : public wait_base<send_operation> {
    public:
        send_operation(channel& through, int item) noexcept
            : through_(&through), item_(item) {}

        bool await_ready() noexcept { return through_->send_now(item_); }

        void enqueue(promise_base& waiter) noexcept {
            waiter_ = &waiter;
            through_->sender_ = this;
        }

    private:
        friend channel;
        channel* through_;
        promise_base* waiter_;
        int item_;
    };

    class receive_operation : public wait_base<receive_operation> {
    public:
        explicit receive_operation(channel& from) noexcept : from_(&from) {}

        bool await_ready() noexcept { return from_->receive_now(item_); }

        void enqueue(promise_base& waiter) noexcept {
            waiter_ = &waiter;
            from_->receiver_ = this;
        }

        int await_resume() noexcept { return item_; }

    private:
        friend channel;
        channel* from_;
        promise_base* waiter_;
        int item_;
    };

    [[nodiscard]] send_operation send(int item) noexcept { return {*this, item}; }

    [[nodiscard]] receive_operation receive() noexcept {
        return receive_operation{*this};
    }

private:
    bool send_now(int item) noexcept {
        if (receiver_ != nullptr) {
            receiver_->item_ = item;
            ready.push(*std::exchange(receiver_, nullptr)->waiter_);
            return true;
        }
        if (sent_ - received_ == capacity_) {
            return false;
        }
        buffer_[sent_++ & mask_] = item;
        return true;
    }

    bool receive_now(int& item) noexcept {
        if (sent_ != received_) {
            item = buffer_[received_++ & mask_];
            if (sender_ != nullptr) {
                buffer_[sent_++ & mask_] = sender_->item_;
                ready.push(*std::exchange(sender_, nullptr)->waiter_);
            }
            return true;
        }
        if (sender_ != nullptr) {  // capacity 0
            item = sender_->item_;
            ready.push(*std::exchange(sender_, nullptr)->waiter_);
            return true;
        }
        return false;
    }

    std::vector<int> buffer_;
    std::size_t mask_;  // the buffer is a power of two and may be larger than capacity_
    std::size_t capacity_;
    std::size_t sent_ = 0;      // into the buffer, ever
    std::size_t received_ = 0;  // out of the buffer, ever
    send_operation* sender_ = nullptr;
    receive_operation* receiver_ = nullptr;
};

}  // namespace raw
