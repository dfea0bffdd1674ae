// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Sending and receiving on a memory object stream.

#include <anyio/streams/detail/memory_channel.hpp>

#include <coroutine>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace anyio::detail {

/// What sends and receives have in common when they have to wait.
///
/// @tparam Wait  memory_sender or memory_receiver
template <class Wait>
class memory_operation : public lowlevel::leaf_base, public Wait {
protected:
    using Wait::Wait;
    ~memory_operation() = default;

    ANYIO_ALWAYS_INLINE void suspend(
        std::coroutine_handle<> leaf_handle,
        lowlevel::parking_lot& lot,
        const lowlevel::wait_kind& how
    ) noexcept {
        lowlevel::loop_state& loop = *lowlevel::this_loop;
        lowlevel::frame_link* const leaf = lowlevel::link_of(leaf_handle);
        if (cancelled(*loop.current)) [[unlikely]]
            return unwind_now(loop, leaf);
        if (loop.budget < 0) [[unlikely]]
            return budget_spent(loop, leaf);
        this->enqueue_in(lot, how);
        park(loop, leaf, *this);
    }
};

template <class T>
class memory_send_base : public memory_operation<memory_sender<T>> {
public:
    [[nodiscard]] ANYIO_ALWAYS_INLINE bool await_ready() {
        lowlevel::loop_state& loop = *lowlevel::this_loop;
        if (cancelled(*loop.current)) [[unlikely]]
            return false;
        const memory_handle& stream = this->stream();
        if (stream.number == 0) [[unlikely]]
            throw_send_failed(memory_progress::closed);
        auto& channel = static_cast<memory_channel<T>&>(*stream.core);
        if (!channel.send_now(this->item())) {
            if (channel.open_receivers == 0) [[unlikely]]
                throw_send_failed(memory_progress::broken);
            return false;
        }
        this->progress = memory_progress::done;
        return spend_budget(loop);
    }

    void await_suspend(lowlevel::awaiting_frame handle) noexcept {
        this->suspend(handle, this->stream().core->senders, memory_wait::send_kind);
    }

    void await_resume() const {
        if (this->progress != memory_progress::done) [[unlikely]]
            throw_send_failed(this->progress);
    }

protected:
    memory_send_base(const memory_handle& stream, T& item) noexcept
        : memory_operation<memory_sender<T>>(stream, item) {}

    ~memory_send_base() = default;
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
class memory_receive_base : public memory_operation<memory_receiver<T>> {
public:
    [[nodiscard]] ANYIO_ALWAYS_INLINE bool await_ready() {
        lowlevel::loop_state& loop = *lowlevel::this_loop;
        if (cancelled(*loop.current)) [[unlikely]]
            return false;
        const memory_handle& stream = this->stream();
        if (stream.number == 0) [[unlikely]]
            throw_receive_failed(memory_progress::closed);
        auto& channel = static_cast<memory_channel<T>&>(*stream.core);
        if (channel.receive_now(&this->item)) [[likely]] {
            this->progress = memory_progress::done;
        } else {
            if (channel.open_senders != 0)
                return false;
            this->progress = memory_progress::ended;
        }
        return spend_budget(loop);
    }

    void await_suspend(lowlevel::awaiting_frame handle) noexcept {
        this->suspend(
            handle, this->stream().core->receivers, memory_wait::receive_kind
        );
    }

protected:
    explicit memory_receive_base(const memory_handle& stream) noexcept
        : memory_operation<memory_receiver<T>>(stream) {}

    ~memory_receive_base() = default;
};

template <class T>
class [[nodiscard]] memory_receive final : public memory_receive_base<T> {
public:
    explicit memory_receive(const memory_handle& stream) noexcept
        : memory_receive_base<T>(stream) {}

    T await_resume() {
        if (this->progress != memory_progress::done) [[unlikely]]
            throw_receive_failed(this->progress);
        return std::move(this->item);
    }
};

template <class T>
class [[nodiscard]] memory_next final : public memory_receive_base<T> {
public:
    explicit memory_next(const memory_handle& stream) noexcept
        : memory_receive_base<T>(stream) {}

    std::optional<T> await_resume() {
        if (this->progress == memory_progress::done) [[likely]]
            return std::move(this->item);
        if (this->progress == memory_progress::closed)
            throw_receive_failed(this->progress);
        return std::nullopt;
    }
};

}  // namespace anyio::detail
