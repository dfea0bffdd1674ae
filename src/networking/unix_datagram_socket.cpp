// SPDX-License-Identifier: MIT
#include <anyio/networking/unix_datagram_socket.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include "../lowlevel/scheduler.hpp"
#include "begin_step.hpp"
#include "posix_adopt.hpp"
#include "posix_datagram.hpp"
#include "posix_unix_socket.hpp"

#include <cerrno>
#include <string>
#include <type_traits>
#include <utility>

namespace anyio {

static_assert(std::is_trivially_destructible_v<create_unix_datagram_socket_options>);

constinit const detail::datagram_kind unix_datagram_socket::kind_ =
    detail::datagram_operation::make_kind(
        "unix_datagram_socket",
        "unix_datagram_socket::receive",
        "unix_datagram_socket::send",
        false,
        true
    );

constinit const detail::datagram_kind connected_unix_datagram_socket::kind_ =
    detail::datagram_operation::make_kind(
        "connected_unix_datagram_socket",
        "connected_unix_datagram_socket::receive",
        "connected_unix_datagram_socket::send",
        true,
        true
    );

unix_address unix_datagram_socket::local_address() const {
    return posix_socket::require_local_unix_address(require_fd("local_address of"));
}

unix_address connected_unix_datagram_socket::local_address() const {
    return posix_socket::require_local_unix_address(require_fd("local_address of"));
}

unix_datagram_socket unix_datagram_socket::from_fd(unique_fd&& fd) {
    return unix_datagram_socket(posix_socket::adopt(
        fd,
        posix_socket::datagram_requirement{
            .operation = "unix_datagram_socket::from_fd",
            .is_unix_domain = true,
            .is_connected = false,
        }
    ));
}

connected_unix_datagram_socket connected_unix_datagram_socket::from_fd(unique_fd&& fd) {
    const unix_address remote = posix_socket::remote_unix_address(fd.get());
    backends::descriptor& target = posix_socket::adopt(
        fd,
        posix_socket::datagram_requirement{
            .operation = "connected_unix_datagram_socket::from_fd",
            .is_unix_domain = true,
            .is_connected = true,
        }
    );
    return {target, remote};
}

namespace {

void check(const char* operation, const create_unix_datagram_socket_options& options) {
    const auto refuse = [&](const auto&... why) {
        throw usage_error(describe(operation, ": ", why...));
    };
    if (options.local_mode && !options.local_path.is_path())
        refuse("there is a mode, but no path that could have it");
    if (options.local_mode && *options.local_mode > 07777)
        refuse("the mode is ", *options.local_mode, ", more than 07777");
}

backends::descriptor& attach(unique_fd& fd) {
    backends::descriptor& target =
        lowlevel::scheduler::of(*lowlevel::this_loop).backend().attach(fd.get());
    static_cast<void>(fd.release());
    return target;
}

/// Opens a socket and hands it to `use`; if that throws, its file goes again.
template <class Use>
auto open_and(const create_unix_datagram_socket_options& options, Use use) {
    unique_fd fd = posix_socket::open_unix_datagram();
    posix_socket::bound_file file;
    if (options.local_path)
        file =
            posix_socket::bind_unix(fd.get(), options.local_path, options.local_mode);
    try {
        return use(fd);
    } catch (...) {
        file.remove();
        throw;
    }
}

[[noreturn]] void fail(int error, const unix_address& to) {
    const os_error cause(
        error,
        "connect unix datagram",
        to_string(to),
        error == ECONNREFUSED ? "nobody is there any more"
        : error == ENOENT     ? "is the server running?"
        : error == EPROTOTYPE ? "it is a socket of another type, for streams maybe"
        : error == EPERM      ? "it is connected to another socket"
                              : ""
    );
    throw_caused(connection_failed(cause.what()), std::make_exception_ptr(cause));
}

}  // namespace

task<unix_datagram_socket>
create_unix_datagram_socket(create_unix_datagram_socket_options options) {
    co_await detail::begin_step();
    check("create_unix_datagram_socket", options);
    co_return open_and(options, [](unique_fd& fd) {
        return unix_datagram_socket(attach(fd));
    });
}

task<connected_unix_datagram_socket> create_connected_unix_datagram_socket(
    unix_address to, create_unix_datagram_socket_options options
) {
    co_await detail::begin_step();
    check("create_connected_unix_datagram_socket", options);
    if (to.is_unnamed())
        throw usage_error(
            "create_connected_unix_datagram_socket: the peer's address is unnamed"
        );
    co_return open_and(options, [&](unique_fd& fd) {
        const auto native = posix_socket::to_native(to);
        if (const int error = posix_socket::connect_datagram(fd.get(), native))
            fail(error, to);
        if (options.local_path)
            posix_socket::drop_received(fd.get());
        return connected_unix_datagram_socket(attach(fd), to);
    });
}

}  // namespace anyio
