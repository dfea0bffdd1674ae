// SPDX-License-Identifier: MIT
#include <anyio/networking/connect_unix.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/basics/sleep.hpp>
#include "begin_step.hpp"
#include "connect_operation.hpp"
#include "posix_unix_socket.hpp"

#include <algorithm>
#include <cerrno>

namespace anyio {

namespace {

constexpr lowlevel::wait_kind connect_kind =
    detail::connect_operation::make_kind("connect_unix");

// A backlog that is full says nothing when it has room again, except to connect(2) that
// blocks. So it is asked again: soon, for those that are full for a moment, and then rarely
// enough to cost next to nothing, yet sooner than anybody notices.
constexpr duration first_pause = std::chrono::milliseconds(1);
constexpr duration longest_pause = std::chrono::milliseconds(16);

[[noreturn]] void fail(int error, const unix_address& to) {
    const os_error cause(
        error,
        "connect_unix",
        to_string(to),
        error == ECONNREFUSED ? "nobody listens there any more"
        : error == ENOENT     ? "is the server running?"
        : error == EPROTOTYPE ? "it is a socket of another type, for datagrams maybe"
                              : ""
    );
    throw_caused(connection_failed(cause.what()), std::make_exception_ptr(cause));
}

}  // namespace

task<unix_socket_stream> connect_unix(unix_address to) {
    co_await detail::begin_step();
    if (to.is_unnamed())
        throw usage_error("connect_unix: the address is unnamed");
    detail::connecting_socket socket(
        posix_socket::open_unix_stream(), backends::descriptor_kind::any
    );
    posix_socket::native_address address = posix_socket::to_native(to);
    duration pause = first_pause;
    for (;;) {
        const std::int64_t result =
            co_await detail::connect_operation(connect_kind, socket.target(), address);
        if (result == 0)
            break;
        // The backlog is full. Not EINPROGRESS, and writable it is all the time: connect(2).
        if (result != -EAGAIN)
            fail(static_cast<int>(-result), to);
        co_await sleep(pause);
        pause = std::min(2 * pause, longest_pause);
    }
    co_return unix_socket_stream(socket.connected());
}

}  // namespace anyio
