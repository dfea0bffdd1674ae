// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// stream_core: what operations need to know of a stream, whatever kind of socket it is.

#include <anyio/backends/request.hpp>
#include <anyio/lowlevel/operation.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace anyio::detail {

class stream_core;
class stream_operation;

/// What tells one kind of stream from another: how it is called in messages. One constant
/// for each kind.
struct stream_kind {
    const char* name;  // "socket_stream"
    lowlevel::wait_kind receive;
    lowlevel::wait_kind send;
    lowlevel::wait_kind send_eof;
    /// `socket_stream 127.0.0.1:80 ← 127.0.0.1:40112`, with the arrow that is asked for.
    std::string (*describe)(const stream_core& stream, std::string_view arrow);
};

/// The base of all streams of sockets.
class stream_core {
public:
    stream_core(stream_core&& other) noexcept;
    stream_core& operator=(stream_core&& other) noexcept;

    /// Ends what waits on it with closed_resource_error, then closes the socket.
    void close_now() noexcept;

    [[nodiscard]] std::string describe(std::string_view arrow) const {
        return kind_->describe(*this, arrow);
    }

    [[nodiscard]] const stream_kind& kind() const noexcept { return *kind_; }

    /// -1: closed, or moved from.
    [[nodiscard]] int fd() const noexcept { return target_ ? target_->fd : -1; }

    /// The descriptor, for `operation`, which may be "peer_credentials of".
    ///
    /// @throws closed_resource_error
    [[nodiscard]] int require_fd(std::string_view operation) const;

protected:
    stream_core(backends::descriptor& target, const stream_kind& kind) noexcept
        : target_(&target), kind_(&kind) {}

    ~stream_core() {
        if (target_)
            close_now();
    }

private:
    friend stream_operation;
    friend class send_eof_operation;

    void repoint_operations() noexcept;

    backends::descriptor* target_;  // null: closed, or moved from
    const stream_kind* kind_;
    int failure_ = 0;  // errno that ended it; a later end is no clean one
    bool eof_sent_ = false;
    bool filled_ = false;  // the last receive() got all it asked for
};

/// Ends the sending direction; never waits.
class [[nodiscard]] send_eof_operation final
    : public lowlevel::operation<send_eof_operation> {
public:
    explicit send_eof_operation(stream_core& stream) noexcept
        : operation(stream.kind_->send_eof), stream_(&stream) {}

    [[nodiscard]] bool try_complete();

    void start() const noexcept {}

    void await_resume() const noexcept {}

private:
    stream_core* stream_;
};

}  // namespace anyio::detail
