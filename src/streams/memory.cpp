// SPDX-License-Identifier: MIT
#include <anyio/streams/memory.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>

#include <cstddef>
#include <type_traits>

namespace anyio {

void memory_stream_capacity::refuse(long long items) {
    throw usage_error(describe(
        "create_memory_object_stream: a capacity of ",
        items,
        "; give a number from 0, or anyio::unbounded"
    ));
}

namespace detail {

static_assert(std::is_standard_layout_v<memory_channel_core>);

constinit memory_channel_core memory_channel_core::nowhere{0, 0};

constinit const lowlevel::wait_kind memory_wait::send_kind{
    &abort, "memory_object_send_stream::send", &describe
};
constinit const lowlevel::wait_kind memory_wait::receive_kind{
    &abort, "memory_object_receive_stream::receive", &describe
};

bool memory_channel_core::close_sender(std::uint64_t handle) noexcept {
    wake_waits_of(senders, handle);
    if (--open_senders != 0)
        return false;
    wake_all(receivers, memory_progress::ended);
    return true;
}

bool memory_channel_core::close_receiver(std::uint64_t handle) noexcept {
    wake_waits_of(receivers, handle);
    if (--open_receivers != 0)
        return false;
    room = 0;
    wake_all(senders, memory_progress::broken);
    return true;
}

void memory_channel_core::wake_all(
    lowlevel::parking_lot& lot, memory_progress why
) noexcept {
    // What a wait has come to is decided here, by whether it is still in the queue, and
    // not by what its task finds later.
    while (lowlevel::parked_wait* const first = lot.front()) {
        static_cast<memory_wait*>(first)->progress = why;
        lot.unpark_first();
    }
}

void memory_channel_core::wake_waits_of(
    lowlevel::parking_lot& lot, std::uint64_t handle
) noexcept {
    lowlevel::parking_lot others;
    while (lowlevel::parked_wait* const first = lot.front()) {
        memory_wait& wait = *static_cast<memory_wait*>(first);
        if (wait.handle_number() != handle) {
            lot.repark(others);
            continue;
        }
        wait.progress = memory_progress::closed;
        lot.unpark_first();
    }
    others.repark(lot, lowlevel::parking_lot::all);
}

lowlevel::abort_result memory_wait::abort(lowlevel::wait_record& record) noexcept {
    return leave_lot(record);
}

void memory_wait::describe(const lowlevel::wait_record& record, std::string& out) {
    const bool sends = record.kind == &send_kind;
    const auto& core = *reinterpret_cast<const memory_channel_core*>(
        reinterpret_cast<const char*>(&static_cast<const memory_wait&>(record).lot()) -
        (sends ? offsetof(memory_channel_core, senders)
               : offsetof(memory_channel_core, receivers))
    );
    out +=
        sends
            ? anyio::describe(
                  core.used(), " of ", core.capacity, " items buffered, nobody receives"
              )
            : anyio::describe(
                  core.open_senders,
                  core.open_senders == 1 ? " send stream" : " send streams",
                  " open, nobody sends"
              );
}

void throw_memory_stream_closed(const char* operation) {
    throw closed_resource_error(
        anyio::describe(operation, ": this stream is closed, or was moved from")
    );
}

void throw_send_failed(memory_progress why) {
    if (why == memory_progress::broken)
        throw broken_resource_error(
            "send on memory_object_stream: all receive streams are closed"
        );
    throw_memory_stream_closed("send on memory_object_stream");
}

void throw_receive_failed(memory_progress why) {
    if (why == memory_progress::ended)
        throw end_of_stream(
            "receive on memory_object_stream: all send streams are closed"
        );
    throw_memory_stream_closed("receive on memory_object_stream");
}

void throw_send_would_block(const memory_channel_core& core) {
    throw would_block(
        core.capacity == 0
            ? "send_nowait on memory_object_stream: nobody is receiving"
            : anyio::describe(
                  "send_nowait on memory_object_stream: the buffer is full (",
                  core.capacity,
                  core.capacity == 1 ? " item)" : " items)"
              )
    );
}

void throw_receive_would_block() {
    throw would_block("receive_nowait on memory_object_stream: there is no item");
}

}  // namespace detail

}  // namespace anyio
