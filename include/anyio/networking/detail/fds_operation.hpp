// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Sends and receives of descriptors, over UNIX sockets.

#include <anyio/base/light_std.hpp>
#include <anyio/base/unique_fd.hpp>
#include <anyio/networking/detail/stream_operation.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace anyio {

/// What unix_socket_stream::receive_fds() yields: bytes, and the descriptors that came
/// with them.
struct received_fds {
    bytes data;
    std::vector<unique_fd> fds;
    /// Descriptors came that are not here, and are closed: there were more than were
    /// asked for, or more than this process may have open.
    bool truncated = false;
};

}  // namespace anyio

namespace anyio::detail {

/// Sends descriptors with the first of its bytes, then the rest of these.
class [[nodiscard]] send_fds_operation final : public stream_operation {
public:
    send_fds_operation(
        stream_core& stream, byte_view message, std::span<const int> fds
    ) noexcept
        : stream_operation(stream, mode::send_fds, nullptr, message.size()),
          rest_(message), fds_(fds) {}

    void await_resume() { check(); }

private:
    friend stream_operation;

    void prepare();
    void advance() noexcept;

    byte_view rest_;
    std::span<const int> fds_;
    std::unique_ptr<std::byte[]> native_;  // a msghdr and what it refers to
};

/// Receives bytes and descriptors. From its completion on it owns the latter, whether the
/// task ever looks at them or not.
class [[nodiscard]] receive_fds_operation final : public stream_operation {
public:
    receive_fds_operation(
        stream_core& stream, std::size_t max_bytes, std::size_t max_fds
    ) noexcept
        : stream_operation(stream, mode::receive_fds, nullptr, max_bytes),
          max_fds_(max_fds) {}

    received_fds await_resume() {
        check();
        if (result == 0) [[unlikely]]
            throw_end();
        return std::move(received_);
    }

private:
    friend stream_operation;

    void prepare();
    void take() noexcept;

    std::size_t max_fds_;
    received_fds received_;  // has room for all, so that taking them cannot fail
    std::unique_ptr<std::byte[]> native_;
};

}  // namespace anyio::detail
