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

/// The base of all operations on memory object streams. Most complete at once: what only
/// those need that wait is made when they do.
class memory_operation : public lowlevel::leaf_base {
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

/// Small trivial items are held by waiting senders themselves; of others they know where
/// the caller keeps them, so that a send that is cut short has not taken the item.
template <class T>
inline constexpr bool held_by_value =
    std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T> &&
    sizeof(T) <= 2 * sizeof(void*);

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
