// SPDX-License-Identifier: MIT
#include <anyio/networking/socket_stream.hpp>

#include <anyio/base/errors.hpp>
#include "../lowlevel/task_report.hpp"
#include "posix_socket.hpp"

#include <cerrno>

namespace anyio::detail {

stream_core::stream_core(stream_core&& other) noexcept
    : target_(std::exchange(other.target_, nullptr)), failure_(other.failure_),
      eof_sent_(other.eof_sent_), filled_(other.filled_) {
    repoint_operations();
}

stream_core& stream_core::operator=(stream_core&& other) noexcept {
    if (this == &other)
        return *this;
    close_now();
    target_ = std::exchange(other.target_, nullptr);
    failure_ = other.failure_;
    eof_sent_ = other.eof_sent_;
    filled_ = other.filled_;
    repoint_operations();
    return *this;
}

void stream_core::repoint_operations() noexcept {
    if (!target_)
        return;
    for (backends::request* pending : {target_->reader, target_->writer})
        if (pending)
            stream_operation::of(*pending).stream_ = this;
}

void stream_core::close_now() noexcept {
    if (!target_)
        return;
    for (backends::request* pending : {target_->reader, target_->writer})
        if (pending)
            stream_operation::of(*pending).fail_closed(*this);
    backends::descriptor& target = *std::exchange(target_, nullptr);
    target.owner->close(target);
}

std::string stream_core::describe(std::string_view arrow) const {
    const ip_endpoint& remote = static_cast<const socket_stream&>(*this).remote_;
    if (!target_)
        return anyio::describe("socket_stream ", arrow, ' ', remote);
    const ip_endpoint local = posix_socket::local_address(target_->fd);
    return anyio::describe("socket_stream ", local, ' ', arrow, ' ', remote);
}

namespace {

lowlevel::abort_result never_waits(lowlevel::wait_record&) noexcept {
    return lowlevel::abort_result::done;
}

constexpr lowlevel::wait_kind send_eof_kind{
    &never_waits, "socket_stream::send_eof", nullptr
};

}  // namespace

send_eof_operation::send_eof_operation(stream_core& stream) noexcept
    : operation(send_eof_kind), stream_(&stream) {}

bool send_eof_operation::try_complete() {
    stream_core& stream = *stream_;
    const auto subject = [&] { return "send_eof on " + stream.describe("→"); };
    if (!stream.target_)
        throw closed_resource_error(
            subject() + ": the stream is closed, or was moved from"
        );
    if (const backends::request* const other = stream.target_->writer) {
        const auto& sending = static_cast<const stream_operation&>(*other);
        throw busy_resource_error(
            "sending",
            subject(),
            anyio::describe(
                ": \"",
                lowlevel::task_name(*sending.task),
                "\"; wait until it has sent all"
            )
        );
    }
    if (stream.eof_sent_)
        return true;
    if (const int error = posix_socket::shut_down_sending(stream.target_->fd)) {
        const os_error cause(error, subject());
        stream.failure_ = error;
        throw_caused(
            broken_resource_error(cause.what()), std::make_exception_ptr(cause)
        );
    }
    stream.eof_sent_ = true;
    return true;
}

}  // namespace anyio::detail

namespace anyio {

ip_endpoint socket_stream::local_address() const {
    if (!target_)
        throw closed_resource_error(anyio::describe(
            "local_address of socket_stream ← ", remote_, ": the stream is closed"
        ));
    return posix_socket::local_address(target_->fd);
}

}  // namespace anyio
