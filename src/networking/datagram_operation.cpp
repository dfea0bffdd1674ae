// SPDX-License-Identifier: MIT
#include <anyio/networking/detail/datagram_operation.hpp>

#include <anyio/base/errors.hpp>
#include "../lowlevel/scheduler.hpp"
#include "../lowlevel/task_report.hpp"
#include "posix_datagram.hpp"

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

namespace anyio::detail {

using posix_socket::native_message;

namespace {

// No datagram is larger, whatever was asked for: the length of UDP has 16 bits, and Linux
// makes one of UNIX of 17 fragments, of 8 pages each, and a head (net/core/sock.c,
// sock_alloc_send_pskb). Room that stays empty costs addresses only.
constexpr std::size_t largest_udp = 65535;
constexpr std::size_t largest_unix = std::size_t{16} * 1024 * 1024;

// What a datagram may have too much of before it is worth a realloc.
constexpr std::size_t most_slack = 4096;

std::string running_task() {
    const auto* const task =
        lowlevel::this_loop ? lowlevel::this_loop->current : nullptr;
    return task ? anyio::describe(" by \"", lowlevel::task_name(*task), '"') : "";
}

void make_message(
    std::byte* at, byte_span data, const posix_socket::native_address& to
) noexcept {
    native_message message(at);
    message.create();
    message.set_data(data.data(), data.size());
    message.set_address(to);
}

}  // namespace

// --- beginning --------------------------------------------------------------------------

std::string datagram_operation::subject() const {
    if (is_read())
        return "receive on " + core_->describe("←");
    std::string text = "send on " + core_->describe("→");
    if (mode_ == mode::send_to) {
        const auto& self = static_cast<const message_operation&>(*this);
        const auto to = native_message(const_cast<std::byte*>(self.native_)).address();
        text += core_->kind().is_unix_domain
                    ? anyio::describe(" → ", posix_socket::unix_from_native(to))
                    : anyio::describe(" → ", posix_socket::from_native(to));
    }
    return text;
}

/// Throws why this cannot be done. It has had no effect.
void datagram_operation::check_may_begin() const {
    const datagram_core& core = *core_;
    if (!core.target_)
        throw closed_resource_error(
            subject() + ": the socket is closed, or was moved from"
        );
    if (core.target_->owner != &lowlevel::scheduler::of(*lowlevel::this_loop).backend())
        throw usage_error(
            subject() +
            ": the socket belongs to another event loop, or to one that has ended"
        );
    if (is_read() && size == 0)
        throw usage_error(subject() + ": no room; ask for at least one byte");
    if (const auto* const other = is_read() ? core.receiver() : core.sender())
        throw busy_resource_error(
            is_read() ? "receiving" : "sending",
            subject(),
            anyio::describe(
                ": \"",
                lowlevel::task_name(*other->task),
                "\" (this is \"",
                lowlevel::task_name(*lowlevel::this_loop->current),
                "\"); give each socket one ",
                is_read() ? "reader" : "writer"
            )
        );
}

void datagram_operation::prepare() {
    if (mode_ == mode::send)
        return;
    auto& self = static_cast<message_operation&>(*this);
    native_message message(self.native_);
    if (mode_ == mode::send_to) {
        if (message.address().size == 0)
            throw usage_error(subject() + ": there is no address to send to");
    } else {
        if (mode_ == mode::collect) {
            bytes& room = static_cast<collect_datagram&>(self).received_;
            size = std::min(
                size, core_->kind().is_unix_domain ? largest_unix : largest_udp
            );
            room = bytes(size);
            self.buffer_ = room.data();
        }
        message.create();
        message.set_data(self.buffer_, size);
        if (!core_->kind().is_connected)
            message.want_address();
    }
    data = self.native_;
}

bool datagram_operation::try_complete() {
    check_may_begin();
    target = core_->target_;
    prepare();
    if (mode_ == mode::send_to && core_->kind().is_unix_domain) {
        if (!send_or_wait_for_room())
            return false;
    } else if (!target->owner->submit(*this)) {
        return false;
    }
    static_cast<void>(settle());
    check();
    return true;
}

// --- room in the queue of another -------------------------------------------------------

// A UNIX socket that is not connected is writable however full the receiver's queue is, and
// nothing is said when that gets room (net/unix/af_unix.c, unix_dgram_poll). A second socket
// that is connected to the receiver knows.
//
// Not a loop that could go on for ever: each turn, some other sender has sent.
bool datagram_operation::send_or_wait_for_room() {
    auto& self = static_cast<send_datagram_to&>(*this);
    const int fd = core_->target_->fd;
    const native_message message(self.native_);
    for (;;) {
        result = message.send(fd);
        if (result != -EAGAIN)
            return true;
        code = backends::request_code::poll_writable;
        target = core_->target_;
        if (posix_socket::has_room(fd)) {
            if (!self.probe_) {
                unique_fd probe = posix_socket::open_unix_datagram();
                const auto to = message.address();
                if (const int error = posix_socket::connect_datagram(probe.get(), to)) {
                    result = -error;
                    return true;
                }
                self.probe_ = &target->owner->attach(probe.get());
                static_cast<void>(probe.release());
            }
            target = self.probe_;
        }
        if (!target->owner->submit(*this)) {
            if (target == self.probe_)
                core_->elsewhere_ = this;
            return false;
        }
        if (result < 0)
            return true;
    }
}

/// There may be room now. False: it waits again.
bool datagram_operation::go_on_sending() noexcept {
    if (!error_)
        core_->elsewhere_ = nullptr;
    if (result < 0)
        return true;
    // Closed, or cancelled: nothing was sent, and nothing will be.
    if (error_ || task->has(lowlevel::task_abort_requested)) {
        result = -ECANCELED;
        return true;
    }
    try {
        return send_or_wait_for_room();
    } catch (...) {
        error_ = std::current_exception();
        result = -ECANCELED;
        return true;
    }
}

/// After fail_closed(). Nobody else tells the backend, which closes only the socket.
void datagram_operation::stop_waiting_elsewhere() noexcept {
    if (task->has(lowlevel::task_abort_requested))
        return;  // it was told already
    stopped_ = true;
    if (target->owner->cancel(*this) == backends::cancel_result::done)
        complete(false);
}

void send_datagram_to::close_probe() noexcept {
    probe_->owner->close(*probe_);
}

// --- ending -----------------------------------------------------------------------------

void datagram_operation::on_completed(backends::request& r) noexcept {
    datagram_operation& self = of(r);
    if (self.code == backends::request_code::poll_writable && !self.go_on_sending())
        return;
    self.complete(!self.settle());
}

void datagram_operation::complete(bool was_cancelled) noexcept {
    if (was_cancelled)
        reschedule_cancelled(*task);
    else
        reschedule(*task);
    tell_closer();  // second, so that it goes on second
}

/// What the result means; false: it was cancelled.
bool datagram_operation::settle() noexcept {
    const bool is_whole = result >= 0 && !is_cut_short();
    if (is_whole) {
        // Backends that do not stop an operation at once may complete it after the socket
        // was closed. What it has done counts: nothing received is lost.
        error_ = nullptr;
    } else if (error_) {
        return !was_cancelled_;
    } else if (result >= 0) {
        error_ = describe_truncation();
    } else {
        if (result == -ECANCELED && !closed)
            return false;
        error_ = describe_failure(static_cast<int>(-result));
    }
    return true;
}

/// Whether receive() has only a part of the datagram.
bool datagram_operation::is_cut_short() const noexcept {
    if (mode_ != mode::collect)
        return false;
    const auto& self = static_cast<const message_operation&>(*this);
    return native_message(const_cast<std::byte*>(self.native_)).was_truncated();
}

std::exception_ptr datagram_operation::describe_truncation() const noexcept {
    try {
        return std::make_exception_ptr(os_error(
            EMSGSIZE,
            subject(),
            {},
            anyio::describe("the datagram had more than ", size, " bytes, and is lost")
        ));
    } catch (...) {
        return std::current_exception();
    }
}

std::exception_ptr datagram_operation::describe_failure(int error) const noexcept {
    try {
        std::string hint;
        if (error == EMSGSIZE)
            hint = anyio::describe(size, " bytes are too many for one datagram");
        else if (error == EACCES && !core_->kind().is_unix_domain)
            hint = "broadcasts need the socket option SO_BROADCAST";
        os_error cause(error, subject(), {}, hint);
        if (!core_->kind().is_connected || !posix_socket::concerns_peer(error))
            return std::make_exception_ptr(std::move(cause));
        return make_caused(
            broken_resource_error(cause.what()), std::make_exception_ptr(cause)
        );
    } catch (...) {
        return std::current_exception();
    }
}

void datagram_operation::fail_closed() noexcept {
    was_cancelled_ = task->has(lowlevel::task_abort_requested);
    try {
        error_ = std::make_exception_ptr(closed_resource_error(anyio::describe(
            subject(),
            ": the socket was closed",
            running_task(),
            " while this task waited"
        )));
    } catch (const std::bad_alloc&) {
        error_ = std::current_exception();
    }
}

void datagram_operation::tell_closer() noexcept {
    if (closer_)
        std::exchange(closer_, nullptr)->ended(*this);
}

lowlevel::abort_result
datagram_operation::abort(lowlevel::wait_record& record) noexcept {
    auto& self = static_cast<datagram_operation&>(record);
    // Closed: it is being ended already.
    if (self.error_ ||
        self.target->owner->cancel(self) == backends::cancel_result::pending)
        return lowlevel::abort_result::pending;
    if (self.core_->elsewhere_ == &self)
        self.core_->elsewhere_ = nullptr;
    return lowlevel::abort_result::done;
}

void datagram_operation::describe(
    const lowlevel::wait_record& record, std::string& out
) {
    const auto& self = static_cast<const datagram_operation&>(record);
    out += anyio::describe("fd ", self.target->fd);
    if (!self.error_)
        out += ", " + self.core_->describe(self.is_read() ? "←" : "→");
}

// --- messages ---------------------------------------------------------------------------

bool message_operation::was_truncated() noexcept {
    return native_message(native_).was_truncated();
}

void message_operation::take_address(ip_endpoint& sender) noexcept {
    sender = posix_socket::from_native(native_message(native_).address());
}

void message_operation::take_address(unix_address& sender) noexcept {
    sender = posix_socket::unix_from_native(native_message(native_).address());
}

void message_operation::put_address(const ip_endpoint& to) noexcept {
    make_message(
        native_,
        byte_span(static_cast<std::byte*>(buffer_), size),
        !to ? posix_socket::native_address{}
        : to.is_v4() && core().is_v6()
            ? posix_socket::to_native(posix_socket::mapped(to))
            : posix_socket::to_native(to)
    );
}

void message_operation::put_address(const unix_address& to) noexcept {
    make_message(
        native_,
        byte_span(static_cast<std::byte*>(buffer_), size),
        to ? posix_socket::to_native(to) : posix_socket::native_address{}
    );
}

bytes collect_datagram::take_data() {
    check();
    received_.resize(static_cast<std::size_t>(result));  // smaller: never fails
    if (received_.capacity() - received_.size() > most_slack) {
        try {
            received_.shrink_to_fit();
        } catch (const std::bad_alloc&) {
            // Then it keeps what it has too much of.
        }
    }
    return std::move(received_);
}

}  // namespace anyio::detail
