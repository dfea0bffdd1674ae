// SPDX-License-Identifier: MIT
#include <anyio/networking/detail/stream_operation.hpp>

#include <anyio/base/errors.hpp>
#include <anyio/networking/detail/bulk_operation.hpp>
#include <anyio/networking/detail/fds_operation.hpp>
#include "../lowlevel/scheduler.hpp"
#include "../lowlevel/task_report.hpp"
#include "posix_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace anyio::detail {

namespace {

// A stream whose last receive was full goes on being full, mostly; then it receives into
// the result itself. Otherwise the result is a copy of the right size, since a buffer of
// 64 KiB for a message of 64 bytes costs more than the copy.
constexpr std::size_t least_direct = std::size_t{16} * 1024;

// A result is never larger, so that the room is not what was asked for but what may come:
// the size may be a wish of the peer's, or no limit at all.
constexpr std::size_t most_direct = std::size_t{1024} * 1024;

// What a result may have too much of before it is worth a realloc.
constexpr std::size_t most_slack = 4096;

std::string running_task() {
    const auto* const task =
        lowlevel::this_loop ? lowlevel::this_loop->current : nullptr;
    return task ? anyio::describe(" by \"", lowlevel::task_name(*task), '"') : "";
}

}  // namespace

std::string stream_operation::subject(const stream_core& stream) const {
    const char* const what = mode_ == mode::receive_fds ? "receive_fds on "
                             : mode_ == mode::send_fds  ? "send_fds on "
                             : mode_ == mode::send_file ? "send_file on "
                             : is_read()                ? "receive on "
                                                        : "send on ";
    return what + stream.describe(is_read() ? "←" : "→");
}

bool stream_operation::try_complete() {
    return mode_ <= mode::receive_fds ? begin_receive() : begin_send();
}

/// Whether the stream is open, and of this loop.
bool stream_operation::is_served(const stream_core& stream) const noexcept {
    return stream.target_ &&
           stream.target_->owner ==
               &lowlevel::scheduler::of(*lowlevel::this_loop).backend();
}

bool stream_operation::begin_receive() {
    stream_core& stream = *stream_;
    if (!is_served(stream) || size == 0) [[unlikely]]
        refuse();
    target = stream.target_;
    if (mode_ != mode::fill)
        prepare_receive();
    if (!target->owner->submit(*this))
        return false;
    if (mode_ != mode::fill || result <= 0) {
        static_cast<void>(settle());
        check();
    }
    return true;
}

bool stream_operation::begin_send() {
    stream_core& stream = *stream_;
    if (!is_served(stream) || stream.eof_sent_) [[unlikely]]
        refuse();
    target = stream.target_;
    if (mode_ >= mode::send_pieces)
        prepare_send();
    if (size == 0) [[unlikely]]
        return true;
    while (target->owner->submit(*this)) {
        if (static_cast<std::size_t>(result) == size) [[likely]]
            return true;
        if (settle() == progress::done) {
            check();
            return true;
        }
    }
    return false;
}

void stream_operation::prepare_receive() {
    if (mode_ == mode::receive_fds)
        static_cast<receive_fds_operation&>(*this).prepare();
    else if (stream_->filled_)
        make_room();
}

void stream_operation::prepare_send() {
    if (mode_ == mode::send_pieces)
        static_cast<send_pieces_operation&>(*this).prepare();
    else if (mode_ == mode::send_fds)
        static_cast<send_fds_operation&>(*this).prepare();
    else
        static_cast<send_file_operation&>(*this).prepare();
}

void stream_operation::make_room() {
    if (size < least_direct || target->reader)
        return;
    size = std::min(size, most_direct);
    data = bytes(size).release();
    owns_data_ = true;
}

/// Throws why this cannot be done. It has had no effect.
void stream_operation::refuse() const {
    const stream_core& stream = *stream_;
    const std::string what = subject(stream);
    if (!stream.target_)
        throw closed_resource_error(what + ": the stream is closed, or was moved from");
    if (!is_served(stream))
        throw usage_error(
            what +
            ": the stream belongs to another event loop, or to one that has ended"
        );
    if (is_read())
        throw usage_error(what + ": no room; ask for at least one byte");
    throw closed_resource_error(what + ": send_eof() has ended this direction");
}

std::exception_ptr stream_operation::busy_error() const {
    backends::request* const other = is_read() ? target->reader : target->writer;
    return std::make_exception_ptr(busy_resource_error(
        is_read() ? "receiving" : "sending",
        subject(*stream_),
        anyio::describe(
            ": \"",
            lowlevel::task_name(*of(*other).task),
            "\" (this is \"",
            lowlevel::task_name(*lowlevel::this_loop->current),
            "\"); give each stream one ",
            is_read() ? "reader" : "writer"
        )
    ));
}

void stream_operation::on_completed(backends::request& r) noexcept {
    stream_operation& self = of(r);
    const bool has_all = self.mode_ == mode::fill ? self.result > 0
                         : self.mode_ == mode::send_all
                             ? static_cast<std::size_t>(self.result) == self.size
                             : false;
    if (has_all && !self.failed_) [[likely]]
        return reschedule(*self.task);
    for (;;) {
        switch (self.settle()) {
        case progress::done:
            return reschedule(*self.task);
        case progress::cancelled:
            return reschedule_cancelled(*self.task);
        case progress::again:
            if (!self.target->owner->submit(self))
                return;
        }
    }
}

/// What the result means.
stream_operation::progress stream_operation::settle() noexcept {
    if (result < 0) [[unlikely]]
        return settle_failure();
    if (failed_) [[unlikely]] {
        if (!survives_close())
            return ended_by_close();
        error_.~exception_ptr();
        failed_ = false;
        stream_ = nullptr;
    }
    switch (mode_) {
    case mode::collect:
        settle_received();
        break;
    case mode::fill:
        break;
    case mode::receive_fds:
        static_cast<receive_fds_operation&>(*this).take();
        break;
    case mode::send_some:
        return progress::done;
    case mode::send_all:
    case mode::send_pieces:
    case mode::send_fds:
    case mode::send_file:
        return settle_sent();
    }
    // After a failure of the connection the system reports an end: it is not a clean one.
    if (result == 0 && stream_ && stream_->failure_ != 0) [[unlikely]]
        fail(describe_failure(stream_->failure_));
    return progress::done;
}

/// A part of what is to be sent has been sent.
stream_operation::progress stream_operation::settle_sent() noexcept {
    size -= static_cast<std::size_t>(result);
    if (size == 0 || (mode_ == mode::send_file && result == 0))
        return progress::done;
    switch (mode_) {
    case mode::send_pieces:
        static_cast<send_pieces_operation&>(*this).advance();
        break;
    case mode::send_fds:
        static_cast<send_fds_operation&>(*this).advance();
        break;
    case mode::send_file:
        static_cast<send_file_operation&>(*this).piece_.offset += result;
        break;
    default:
        data = static_cast<std::byte*>(data) + result;
    }
    // A cancelled send is over, although more could be sent.
    return task && task->has(lowlevel::task_abort_requested) ? progress::cancelled
                                                             : progress::again;
}

// Backends that do not stop an operation at once may complete it after the stream was
// closed. What it has done counts: nothing received is lost.
bool stream_operation::survives_close() const noexcept {
    switch (mode_) {
    case mode::fill:
    case mode::collect:
    case mode::receive_fds:
        return result > 0;
    case mode::send_some:
        return true;
    case mode::send_all:
    case mode::send_pieces:
    case mode::send_fds:
        return static_cast<std::size_t>(result) == size;
    case mode::send_file:
        return static_cast<std::size_t>(result) == size || result == 0;
    }
    return false;
}

void stream_operation::settle_received() noexcept {
    const auto got = static_cast<std::size_t>(result);
    if (stream_)
        stream_->filled_ = got != 0 && got == size;
    try {
        keep_received(got);
    } catch (const std::bad_alloc&) {
        // The bytes are lost, and so is the sense of all that follow.
        if (stream_)
            stream_->failure_ = ENOMEM;
        fail(std::current_exception());
    }
}

/// Makes the bytes that have come the operation's own, with little room to spare.
void stream_operation::keep_received(std::size_t got) {
    const auto* const from = static_cast<const std::byte*>(data);
    bytes kept = std::exchange(owns_data_, false)
                     ? bytes::adopt(static_cast<std::byte*>(data), got, size)
                     : bytes(byte_view(from, got));
    if (got == 0)
        return;  // the end
    if (kept.capacity() - got > most_slack)
        kept.shrink_to_fit();
    size = kept.capacity();
    data = kept.release();
    owns_data_ = true;
}

stream_operation::progress stream_operation::settle_failure() noexcept {
    const int error = static_cast<int>(-result);
    if (failed_)
        return ended_by_close();
    if (error == ECANCELED && !closed)
        return progress::cancelled;
    // The peer has ended its side first if it is EPIPE; what it had sent can be read.
    if (error != EPIPE && error != EBUSY && !spares_stream(error))
        stream_->failure_ = error;
    try {
        fail(error == EBUSY ? busy_error() : describe_failure(error));
    } catch (const std::bad_alloc&) {
        fail(std::current_exception());
    }
    return progress::done;
}

/// Whether an error says nothing about the connection: the descriptors that were to be
/// sent, or the file, are to blame, or the machine.
bool stream_operation::spares_stream(int error) const noexcept {
    if (posix_socket::is_lack_of_memory(error))
        return true;
    if (mode_ == mode::send_fds)
        return error == EBADF || error == EINVAL || error == ETOOMANYREFS;
    return mode_ == mode::send_file &&
           (error == EBADF || error == EINVAL || error == ESPIPE || error == EIO ||
            error == EOVERFLOW || error == EISDIR || error == ESTALE);
}

std::exception_ptr stream_operation::describe_failure(int error) const noexcept {
    try {
        const bool no_file =
            mode_ == mode::send_file && (error == EINVAL || error == ESPIPE);
        os_error cause(
            error,
            subject(*stream_),
            {},
            no_file ? "it works for files, not for pipes and devices: read those, and "
                      "send()"
                    : ""
        );
        if (spares_stream(error))
            return std::make_exception_ptr(std::move(cause));
        return make_caused(
            broken_resource_error(cause.what()), std::make_exception_ptr(cause)
        );
    } catch (...) {
        return std::current_exception();
    }
}

void stream_operation::fail(std::exception_ptr error) noexcept {
    new (&error_) std::exception_ptr(std::move(error));
    failed_ = true;
}

/// Null stands for a cancellation, which came first.
void stream_operation::fail_closed(const stream_core& stream) noexcept {
    if (task->has(lowlevel::task_abort_requested))
        return fail(nullptr);
    try {
        fail(std::make_exception_ptr(closed_resource_error(anyio::describe(
            subject(stream),
            ": the stream was closed",
            running_task(),
            " while this task waited"
        ))));
    } catch (const std::bad_alloc&) {
        fail(std::current_exception());
    }
}

stream_operation::progress stream_operation::ended_by_close() const noexcept {
    return error_ ? progress::done : progress::cancelled;
}

lowlevel::abort_result stream_operation::abort(lowlevel::wait_record& record) noexcept {
    auto& self = static_cast<stream_operation&>(record);
    if (self.failed_)
        return lowlevel::abort_result::pending;  // closed: it is being ended already
    return self.target->owner->cancel(self) == backends::cancel_result::done
               ? lowlevel::abort_result::done
               : lowlevel::abort_result::pending;
}

void stream_operation::describe(const lowlevel::wait_record& record, std::string& out) {
    const auto& self = static_cast<const stream_operation&>(record);
    out += anyio::describe("fd ", self.target->fd);
    if (!self.failed_)
        out += ", " + self.stream_->describe(self.is_read() ? "←" : "→");
}

lowlevel::abort_result
stream_operation::abort_nothing(lowlevel::wait_record&) noexcept {
    return lowlevel::abort_result::done;  // send_eof never waits
}

void stream_operation::throw_end() const {
    // Not of the stream, which may have gone: "socket_stream::receive".
    const std::string_view what = kind->name;
    throw end_of_stream(anyio::describe(
        mode_ == mode::receive_fds ? "receive_fds on " : "receive on ",
        what.substr(0, what.find(':')),
        ": end of stream"
    ));
}

}  // namespace anyio::detail
