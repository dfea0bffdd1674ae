// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// create_memory_object_stream and its two ends: objects from task to task.
/// Manual: docs/manual/streams.md#memory-object-streams

#include <anyio/abc/async_resource.hpp>
#include <anyio/streams/detail/memory_operation.hpp>
#include <anyio/streams/memory_statistics.hpp>

#include <concepts>
#include <cstddef>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

namespace anyio {

namespace detail {

/// What both ends are: one of the handles of a channel.
template <class T>
class memory_stream_handle {
public:
    /// Whether it was closed, or moved from.
    [[nodiscard]] bool is_closed() const noexcept { return handle_.number == 0; }

    /// Also of a closed stream; empty of one that was moved from.
    [[nodiscard]] memory_object_stream_statistics statistics() const noexcept {
        return {
            .current_buffer_used = handle_.core->used(),
            .max_buffer_size = handle_.core->capacity,
            .peak_buffer_used = handle_.core->peak,
            .open_send_streams = handle_.core->open_senders,
            .open_receive_streams = handle_.core->open_receivers,
            .tasks_waiting_send = handle_.core->senders.size(),
            .tasks_waiting_receive = handle_.core->receivers.size(),
        };
    }

protected:
    memory_stream_handle() noexcept : handle_{&memory_channel_core::nowhere, 0} {}

    memory_stream_handle(memory_channel<T>& channel, std::uint64_t number) noexcept
        : handle_{&channel, number} {}

    memory_stream_handle(memory_stream_handle&& other) noexcept
        : handle_(std::exchange(
              other.handle_, memory_handle{&memory_channel_core::nowhere, 0}
          )) {}

    ~memory_stream_handle() { let_go(); }

    void swap_with(memory_stream_handle& other) noexcept {
        std::swap(handle_, other.handle_);
    }

    [[nodiscard]] memory_channel<T>& channel() const noexcept {
        return static_cast<memory_channel<T>&>(*handle_.core);
    }

    void check_open(const char* operation) const {
        if (handle_.number == 0) [[unlikely]]
            throw_memory_stream_closed(operation);
    }

    void let_go() noexcept {
        if (handle_.core != &memory_channel_core::nowhere &&
            --handle_.core->references == 0)
            delete &channel();
    }

    memory_handle handle_;
};

}  // namespace detail

/// The sending end of a memory object stream: what create_memory_object_stream() yields.
///
/// Items arrive in the order in which they were sent, each at one receiver. Any number of
/// tasks may use one end, or clones of it.
///
/// A resource: it moves; clone() copies, on purpose. The destructor closes. When all
/// clones are closed, receivers get what is buffered, and then the end of the stream.
///
/// @threads  loop
/// @anyio    anyio.streams.memory.MemoryObjectSendStream
template <class T>
class memory_object_send_stream : public detail::memory_stream_handle<T> {
    using base = detail::memory_stream_handle<T>;

public:
    using item_type = T;

    /// A closed one: something to move to.
    memory_object_send_stream() noexcept = default;

    /// Operations that wait go on, on the new object. The old one is closed.
    memory_object_send_stream(memory_object_send_stream&&) noexcept = default;

    /// Closes what this was.
    memory_object_send_stream& operator=(memory_object_send_stream&& other) noexcept {
        memory_object_send_stream(std::move(other)).swap(*this);
        return *this;
    }

    ~memory_object_send_stream() { close(); }

    void swap(memory_object_send_stream& other) noexcept { this->swap_with(other); }

    /// Gives `item` to a receiver or to the buffer, waiting while it is full. With
    /// capacity 0 it waits until a receiver has taken the item.
    ///
    /// @param item  moved from when a receiver or the buffer takes it, and not before: if
    ///              it must outlive a cancelled send, keep it outside of the block. The
    ///              operation refers to it, so await it in the same expression
    /// @throws closed_resource_error  if this stream was closed, before or meanwhile
    /// @throws broken_resource_error  if all receive streams are closed, or were meanwhile
    /// @checkpoint    always
    /// @cancellation  atomic: the item is still the caller's
    /// @allocates     nothing, once the buffer has grown to what is in use
    /// @anyio         anyio.streams.memory.MemoryObjectSendStream.send
    [[nodiscard]] detail::memory_send<T> send(T&& item) noexcept {
        return {this->handle_, item};
    }

    /// Sends a copy.
    [[nodiscard]] auto send(const T& item)
        requires std::copy_constructible<T>
    {
        if constexpr (detail::held_by_value<T>) {
            T copy(item);
            return detail::memory_send<T>(this->handle_, copy);
        } else {
            return detail::memory_send_copy<T>(this->handle_, item);
        }
    }

    /// Gives `item` to a receiver or the buffer if that needs no waiting.
    ///
    /// @param item  moved from only on success
    /// @throws would_block            if a send() would wait
    /// @throws closed_resource_error  if this stream was closed
    /// @throws broken_resource_error  if all receive streams are closed
    /// @checkpoint    never
    /// @cancellation  none
    /// @anyio         anyio.streams.memory.MemoryObjectSendStream.send_nowait
    void send_nowait(T&& item) {
        if (!try_send(std::move(item)))
            detail::throw_send_would_block(*this->handle_.core);
    }

    void send_nowait(const T& item)
        requires std::copy_constructible<T>
    {
        send_nowait(T(item));
    }

    /// The same, telling whether it could: `false` leaves `item` as it was.
    ///
    /// @throws closed_resource_error  if this stream was closed
    /// @throws broken_resource_error  if all receive streams are closed
    /// @checkpoint    never
    /// @cancellation  none
    [[nodiscard]] bool try_send(T&& item) {
        this->check_open("send on memory_object_stream");
        if (this->channel().send_now(item))
            return true;
        if (this->handle_.core->open_receivers == 0)
            detail::throw_send_failed(detail::memory_progress::broken);
        return false;
    }

    [[nodiscard]] bool try_send(const T& item)
        requires std::copy_constructible<T>
    {
        return try_send(T(item));
    }

    /// Another send stream of the same channel, to be closed by itself.
    ///
    /// @throws closed_resource_error  if this stream was closed
    /// @anyio  anyio.streams.memory.MemoryObjectSendStream.clone
    [[nodiscard]] memory_object_send_stream clone() const {
        this->check_open("clone memory_object_send_stream");
        ++this->handle_.core->open_senders;
        ++this->handle_.core->references;
        return {this->channel(), ++this->handle_.core->last_handle};
    }

    /// Closes the stream, as the destructor does. Tasks that wait in it, and not in a
    /// clone, get closed_resource_error; their items stay theirs. Does nothing if it is
    /// closed.
    ///
    /// @checkpoint    never
    /// @cancellation  none
    /// @anyio         anyio.streams.memory.MemoryObjectSendStream.close
    void close() noexcept {
        if (this->handle_.number != 0)
            this->handle_.core->close_sender(std::exchange(this->handle_.number, 0));
    }

    /// The same, as a resource of `with`.
    ///
    /// @throws nothing
    /// @checkpoint    always
    /// @cancellation  shielded: it is closed in any case
    [[nodiscard]] abc::close_operation aclose() noexcept {
        return {this, [](void* self) noexcept {
                    static_cast<memory_object_send_stream*>(self)->close();
                }};
    }

    /// For create_memory_object_stream().
    memory_object_send_stream(
        detail::memory_channel<T>& channel, std::uint64_t number
    ) noexcept
        : base(channel, number) {}
};

/// The receiving end of a memory object stream.
///
/// When all clones are closed, what is buffered is dropped, and senders get
/// broken_resource_error. Otherwise as memory_object_send_stream.
///
/// @threads  loop
/// @anyio    anyio.streams.memory.MemoryObjectReceiveStream
template <class T>
class memory_object_receive_stream : public detail::memory_stream_handle<T> {
    using base = detail::memory_stream_handle<T>;

public:
    using item_type = T;

    /// A closed one: something to move to.
    memory_object_receive_stream() noexcept = default;

    /// Operations that wait go on, on the new object. The old one is closed.
    memory_object_receive_stream(memory_object_receive_stream&&) noexcept = default;

    /// Closes what this was.
    memory_object_receive_stream&
    operator=(memory_object_receive_stream&& other) noexcept {
        memory_object_receive_stream(std::move(other)).swap(*this);
        return *this;
    }

    ~memory_object_receive_stream() { close(); }

    void swap(memory_object_receive_stream& other) noexcept { this->swap_with(other); }

    /// Takes the oldest item, waiting until there is one. Of several tasks the one that
    /// has waited longest gets it.
    ///
    /// @throws end_of_stream          if all send streams are closed, and all is received
    /// @throws closed_resource_error  if this stream was closed, before or meanwhile
    /// @checkpoint    always
    /// @cancellation  atomic: no item is lost; one that was given to this task before it
    ///                was cancelled is returned
    /// @allocates     nothing
    /// @anyio         anyio.streams.memory.MemoryObjectReceiveStream.receive
    [[nodiscard]] detail::memory_receive<T> receive() noexcept {
        return detail::memory_receive<T>(this->handle_);
    }

    /// The same for loops: `while (auto item = co_await stream.next())`.
    ///
    /// @returns  empty at the end of the stream
    /// @throws closed_resource_error  if this stream was closed, before or meanwhile
    /// @checkpoint    always
    /// @cancellation  atomic
    /// @allocates     nothing
    /// @anyio         anyio.streams.memory.MemoryObjectReceiveStream.__anext__
    [[nodiscard]] detail::memory_next<T> next() noexcept {
        return detail::memory_next<T>(this->handle_);
    }

    /// Takes the oldest item if there is one.
    ///
    /// @throws would_block            if a receive() would wait
    /// @throws end_of_stream          if all send streams are closed, and all is received
    /// @throws closed_resource_error  if this stream was closed
    /// @checkpoint    never
    /// @cancellation  none
    /// @anyio         anyio.streams.memory.MemoryObjectReceiveStream.receive_nowait
    T receive_nowait() {
        auto taken = try_receive();
        if (!taken)
            detail::throw_receive_would_block();
        return std::move(*taken);
    }

    /// The same, empty if it would have to wait.
    ///
    /// @throws end_of_stream          if all send streams are closed, and all is received
    /// @throws closed_resource_error  if this stream was closed
    /// @checkpoint    never
    /// @cancellation  none
    [[nodiscard]] std::optional<T> try_receive() {
        this->check_open("receive on memory_object_stream");
        std::optional<T> taken;
        if (this->channel().receive_now(taken))
            return taken;
        if (this->handle_.core->open_senders == 0)
            detail::throw_receive_failed(detail::memory_progress::ended);
        return std::nullopt;
    }

    /// Another receive stream of the same channel, to be closed by itself.
    ///
    /// @throws closed_resource_error  if this stream was closed
    /// @anyio  anyio.streams.memory.MemoryObjectReceiveStream.clone
    [[nodiscard]] memory_object_receive_stream clone() const {
        this->check_open("clone memory_object_receive_stream");
        ++this->handle_.core->open_receivers;
        ++this->handle_.core->references;
        return {this->channel(), ++this->handle_.core->last_handle};
    }

    /// Closes the stream, as the destructor does. Tasks that wait in it, and not in a
    /// clone, get closed_resource_error. Does nothing if it is closed.
    ///
    /// @checkpoint    never
    /// @cancellation  none
    /// @anyio         anyio.streams.memory.MemoryObjectReceiveStream.close
    void close() noexcept {
        if (this->handle_.number == 0)
            return;
        detail::memory_channel<T>& channel = this->channel();
        if (!channel.close_receiver(std::exchange(this->handle_.number, 0)))
            return;
        // An item's destructor may destroy this stream, or the last one of the channel.
        ++channel.references;
        channel.drop_all();
        if (--channel.references == 0)
            delete &channel;
    }

    /// The same, as a resource of `with`.
    ///
    /// @throws nothing
    /// @checkpoint    always
    /// @cancellation  shielded: it is closed in any case
    [[nodiscard]] abc::close_operation aclose() noexcept {
        return {this, [](void* self) noexcept {
                    static_cast<memory_object_receive_stream*>(self)->close();
                }};
    }

    /// For create_memory_object_stream().
    memory_object_receive_stream(
        detail::memory_channel<T>& channel, std::uint64_t number
    ) noexcept
        : base(channel, number) {}
};

/// A queue between tasks of one loop: a sending end and a receiving end.
///
/// ```
/// auto [send, receive] = create_memory_object_stream<std::string>(16);
/// ```
///
/// @tparam T        any type that moves without throwing
/// @param capacity  items that are buffered while nobody receives: 0 makes every send()
///                  wait for its receiver, `unbounded` none
/// @throws usage_error  if it is negative
/// @threads    loop; the streams may be made before it runs
/// @allocates  what the ends share; the buffer as it is needed
/// @anyio      anyio.create_memory_object_stream
/// @example    docs/snippets/streams/pipeline.cpp
template <class T>
[[nodiscard]] std::pair<memory_object_send_stream<T>, memory_object_receive_stream<T>>
create_memory_object_stream(memory_stream_capacity capacity) {
    static_assert(
        alignof(T) <= lowlevel::max_alignment,
        "create_memory_object_stream<T>: T is over-aligned, and frames of coroutines, where "
        "items are received, are aligned to 16 bytes; send a std::unique_ptr<T>"
    );
    static_assert(
        std::is_object_v<T> && std::is_nothrow_move_constructible_v<T> &&
            std::is_nothrow_destructible_v<T>,
        "create_memory_object_stream<T>: T must be an object type that moves without "
        "throwing, so that no item can be lost on its way; wrap it in a std::unique_ptr"
    );
    auto* const channel = new detail::memory_channel<T>(capacity.items());
    return {
        memory_object_send_stream<T>(*channel, 1),
        memory_object_receive_stream<T>(*channel, 2)
    };
}

namespace streams {
using anyio::memory_object_receive_stream;
using anyio::memory_object_send_stream;
using anyio::memory_object_stream_statistics;
}  // namespace streams

}  // namespace anyio
