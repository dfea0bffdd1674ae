// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// request: one pending operation of the operating system; descriptor: what it works on.

#include <anyio/base/bytes.hpp>

#include <cstddef>
#include <cstdint>

namespace anyio::backends {

class backend;
struct request;

/// What a request does. `size`, `data` and `result` mean what the call of the same name
/// says. First those that read.
enum class request_code : std::uint8_t {
    /// recv(2) into `data`; result: bytes, 0 at the end of the stream. With `data` null
    /// the backend lends a buffer, and then `data` points to what came: until
    /// `completed` returns, or until the next call of the backend after submit().
    receive,
    /// accept4(2), non-blocking and close-on-exec; result: the descriptor. `data` may be
    /// null, or room of `size` bytes for the peer's sockaddr; then `size` becomes its
    /// length, 0 if that is not known.
    accept,
    /// recvmsg(2) into the msghdr at `data`; `size` is not used. Descriptors that come
    /// with it are close-on-exec.
    receive_message,
    poll_readable,  ///< until read(2) would not block; also serves pidfds and signalfds
    send,           ///< send(2) of `data`, once; result: bytes taken
    send_datagram,  ///< send(2) of `data`, whole; result: bytes taken
    send_message,   ///< sendmsg(2) of the msghdr at `data`, once; `size` is not used
    send_file,      ///< sendfile(2) of `size` bytes of the file_piece at `data`, once
    connect,        ///< connect(2) to the sockaddr at `data`
    poll_writable,  ///< until write(2) would not block
};

/// What request_code::send_file sends: from `offset` on, which it leaves as it is.
struct file_piece {
    int fd = -1;
    std::int64_t offset = 0;
};

/// What a descriptor is, where that makes a difference to a backend.
enum class descriptor_kind : std::uint8_t {
    any,  ///< nothing is concluded from what an operation on it has done
    /// A TCP connection: a receive that gets less than it has room for has left nothing,
    /// unless there are urgent data, before which it stops. That is not true of other
    /// streams: one of UNIX stops where descriptors were attached, too.
    tcp,
};

/// A descriptor of the operating system as a backend knows it: made by
/// backend::attach(), ended by backend::close() or backend::release(). Backends derive.
struct descriptor {
    request* reader = nullptr;  ///< pending, of the reading direction
    request* writer = nullptr;

    union {
        /// Who serves it. When a backend goes before its descriptors do, it leaves them to
        /// one that can only close() and release().
        backend* owner = nullptr;
        descriptor* next_unused;  ///< of one that is over: for its backend
    };

    int fd = -1;

protected:
    descriptor() = default;
    ~descriptor() = default;
};

/// Owned by the caller, as part of an operation; alive and in place until it completes.
struct request {
    using completion = void (*)(request&) noexcept;

    constexpr request() noexcept = default;

    constexpr request(
        request_code what, completion when_done, void* at, std::size_t length
    ) noexcept
        : completed(when_done), data(at), size(length), code(what) {}

    /// The direction of a request; a descriptor has one request of each at a time.
    [[nodiscard]] constexpr bool is_read() const noexcept {
        return code <= request_code::poll_readable;
    }

    /// Called on the loop's thread, never from submit(). May submit the request again.
    completion completed = nullptr;
    descriptor* target = nullptr;
    void* data = nullptr;
    std::size_t size = 0;
    /// Not negative: success. Negative: minus an errno. -ECANCELED: cancelled, or the
    /// descriptor was closed (then `closed` is set).
    std::int64_t result = 0;
    request_code code{};
    bool closed = false;
};

}  // namespace anyio::backends
