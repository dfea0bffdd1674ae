// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// request: one pending operation of the operating system; descriptor: what it works on.

#include <anyio/base/bytes.hpp>

#include <cstddef>
#include <cstdint>

namespace anyio::backends {

/// What a request does. `size`, `data`, `offset` and `result` mean what the call of the
/// same name says.
enum class request_code : std::uint8_t {
    receive,        ///< recv(2) into `data`; result: bytes, 0 at the end of the stream
    send,           ///< send(2) of `data`, once; result: bytes taken
    accept,         ///< accept4(2), non-blocking and close-on-exec; result: the descriptor
    connect,        ///< connect(2) to the sockaddr at `data`
    poll_readable,  ///< until read(2) would not block; also serves pidfds and signalfds
    poll_writable,  ///< until write(2) would not block
};

/// A descriptor of the operating system as a backend knows it: made by
/// backend::attach(), ended by backend::close() or backend::release(). Backends derive.
struct descriptor {
    int fd = -1;

protected:
    ~descriptor() = default;
};

/// Owned by the caller, as part of an operation; alive and in place until it completes.
struct request {
    /// The direction of a request; a descriptor has one request of each at a time.
    [[nodiscard]] bool is_read() const noexcept {
        return code == request_code::receive || code == request_code::accept
               || code == request_code::poll_readable;
    }

    request_code code{};
    descriptor* target = nullptr;
    void* data = nullptr;
    std::size_t size = 0;
    /// Not negative: success. Negative: minus an errno. -ECANCELED: cancelled, or the
    /// descriptor was closed (then `closed` is set).
    std::int64_t result = 0;
    bool closed = false;
    /// Called on the loop's thread, never from submit().
    void (*completed)(request&) noexcept = nullptr;
};

}  // namespace anyio::backends
