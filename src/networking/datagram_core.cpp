// SPDX-License-Identifier: MIT
#include <anyio/networking/detail/datagram_core.hpp>

#include <anyio/backends/backend.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/networking/detail/datagram_operation.hpp>
#include "posix_socket.hpp"

#include <utility>

namespace anyio::detail {

datagram_core::datagram_core(datagram_core&& other) noexcept
    : target_(std::exchange(other.target_, nullptr)), kind_(other.kind_),
      elsewhere_(std::exchange(other.elsewhere_, nullptr)), is_v6_(other.is_v6_) {
    repoint_operations();
}

datagram_core& datagram_core::operator=(datagram_core&& other) noexcept {
    if (this == &other)
        return *this;
    close_now();
    target_ = std::exchange(other.target_, nullptr);
    elsewhere_ = std::exchange(other.elsewhere_, nullptr);
    is_v6_ = other.is_v6_;
    repoint_operations();
    return *this;
}

datagram_operation* datagram_core::receiver() const noexcept {
    return static_cast<datagram_operation*>(target_->reader);
}

datagram_operation* datagram_core::sender() const noexcept {
    return elsewhere_ ? elsewhere_ : static_cast<datagram_operation*>(target_->writer);
}

void datagram_core::repoint_operations() noexcept {
    if (!target_)
        return;
    for (datagram_operation* pending : {receiver(), sender()})
        if (pending)
            pending->core_ = this;
}

void datagram_core::close_now() noexcept {
    if (!target_)
        return;
    for (datagram_operation* pending : {receiver(), sender()})
        if (pending)
            pending->fail_closed();
    datagram_operation* const elsewhere = std::exchange(elsewhere_, nullptr);
    backends::descriptor& target = *std::exchange(target_, nullptr);
    target.owner->close(target);
    if (elsewhere)
        elsewhere->stop_waiting_elsewhere();
}

std::string datagram_core::describe(std::string_view arrow) const {
    std::string text = kind_->name;
    if (!target_)
        return text;
    if (kind_->is_unix_domain) {
        text += ' ' + to_string(posix_socket::local_unix_address(target_->fd));
        if (kind_->is_connected)
            text += anyio::describe(
                ' ', arrow, ' ', posix_socket::remote_unix_address(target_->fd)
            );
    } else {
        text += ' ' + to_string(posix_socket::local_address(target_->fd));
        if (kind_->is_connected)
            text += anyio::describe(
                ' ', arrow, ' ', posix_socket::remote_address(target_->fd)
            );
    }
    return text;
}

int datagram_core::require_fd(std::string_view operation) const {
    if (!target_)
        throw closed_resource_error(
            anyio::describe(operation, ' ', kind_->name, ": the socket is closed")
        );
    return target_->fd;
}

// --- closing ----------------------------------------------------------------------------

constinit const lowlevel::wait_kind datagram_close_operation::kind_{
    &abort, "datagram_socket::aclose", nullptr
};

datagram_close_operation::~datagram_close_operation() {
    for (datagram_operation* pending : {receiver_, sender_})
        if (pending)
            pending->closer_ = nullptr;
}

bool datagram_close_operation::await_ready() noexcept {
    if (core_->target_) {
        receiver_ = core_->receiver();
        sender_ = core_->sender();
        for (datagram_operation* pending : {receiver_, sender_})
            if (pending)
                pending->closer_ = this;
        core_->close_now();
    }
    lowlevel::loop_state& loop = *lowlevel::this_loop;
    return !receiver_ && !sender_ && !cancelled(*loop.current) && spend_budget(loop);
}

void datagram_close_operation::await_suspend(lowlevel::awaiting_frame handle) noexcept {
    lowlevel::loop_state& loop = *lowlevel::this_loop;
    frame_link* const leaf = lowlevel::link_of(handle);
    if (cancelled(*loop.current))
        return unwind_now(loop, leaf);
    if (!receiver_ && !sender_)
        return budget_spent(loop, leaf);
    park(loop, leaf, *this);
}

void datagram_close_operation::ended(const datagram_operation& operation) noexcept {
    (&operation == receiver_ ? receiver_ : sender_) = nullptr;
    if (task && !receiver_ && !sender_)
        reschedule(*task);
}

lowlevel::abort_result
datagram_close_operation::abort(lowlevel::wait_record&) noexcept {
    return lowlevel::abort_result::done;
}

}  // namespace anyio::detail
