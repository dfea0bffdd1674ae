// SPDX-License-Identifier: MIT
#include <anyio/networking/detail/stream_core.hpp>

#include <anyio/base/errors.hpp>
#include <anyio/networking/detail/stream_operation.hpp>
#include "../lowlevel/task_report.hpp"
#include "posix_socket.hpp"

#include <utility>

namespace anyio::detail {

stream_core::stream_core(stream_core&& other) noexcept
    : target_(std::exchange(other.target_, nullptr)), kind_(other.kind_),
      failure_(other.failure_), eof_sent_(other.eof_sent_), filled_(other.filled_) {
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

int stream_core::require_fd(std::string_view operation) const {
    if (!target_)
        throw closed_resource_error(
            anyio::describe(operation, ' ', describe("→"), ": the stream is closed")
        );
    return target_->fd;
}

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
