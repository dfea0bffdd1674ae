// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The place where tests make operations fail that are submitted, as
/// posix/system_calls.hpp is for calls.

#include <liburing.h>

#ifdef ANYIO_FAULTS
#include "../posix/system_calls.hpp"
#endif

namespace anyio::sys {

#ifndef ANYIO_FAULTS

/// `sqe` is prepared.
inline void about_to_submit(io_uring_sqe&) noexcept {}

#else

namespace faults {

/// The call that an operation stands for.
[[nodiscard]] inline call equivalent(std::uint8_t opcode) noexcept {
    switch (opcode) {
    case IORING_OP_RECV:
        return call::recv;
    case IORING_OP_SEND:
        return call::send;
    case IORING_OP_RECVMSG:
        return call::recvmsg;
    case IORING_OP_ACCEPT:
        return call::accept4;
    case IORING_OP_CONNECT:
        return call::connect;
    case IORING_OP_POLL_ADD:
        return call::poll;
    default:
        return call::count;
    }
}

}  // namespace faults

/// What shall fail becomes a no-op with that result (Linux 6.10), so that it completes as
/// the real one would have.
inline void about_to_submit(io_uring_sqe& sqe) noexcept {
    const faults::call which = faults::equivalent(sqe.opcode);
    if (which == faults::call::count)
        return;
    const faults::verdict v = faults::ask(which);
    if (v.error != 0) {
        constexpr std::uint32_t inject_result = 1;  // IORING_NOP_INJECT_RESULT
        const std::uint64_t name = sqe.user_data;
        io_uring_prep_nop(&sqe);
        sqe.rw_flags = static_cast<int>(inject_result);
        sqe.len = static_cast<std::uint32_t>(-v.error);
        sqe.user_data = name;
    } else if ((sqe.opcode == IORING_OP_RECV || sqe.opcode == IORING_OP_SEND) &&
               sqe.len > v.limit && faults::is_stream(sqe.fd)) {
        sqe.len = static_cast<std::uint32_t>(v.limit);
    }
}

#endif

}  // namespace anyio::sys
