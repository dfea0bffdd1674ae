// SPDX-License-Identifier: MIT
#include <anyio/networking/unix_socket_stream.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include "../lowlevel/scheduler.hpp"
#include "posix_adopt.hpp"
#include "posix_socket.hpp"
#include "posix_unix_socket.hpp"

#include <utility>

namespace anyio {

constinit const detail::stream_kind unix_socket_stream::kind_ =
    detail::stream_operation::make_kind(
        {"unix_socket_stream",
         "unix_socket_stream::receive",
         "unix_socket_stream::send",
         "unix_socket_stream::send_eof"},
        &unix_socket_stream::describe
    );

// `unix_socket_stream unnamed → /run/service.sock`
std::string unix_socket_stream::describe(
    const detail::stream_core& stream, std::string_view arrow
) {
    const int fd = stream.fd();
    if (fd < 0)
        return "unix_socket_stream";
    const unix_address local = posix_socket::local_unix_address(fd);
    const unix_address remote = posix_socket::remote_unix_address(fd);
    return anyio::describe("unix_socket_stream ", local, ' ', arrow, ' ', remote);
}

process_credentials unix_socket_stream::peer_credentials() const {
    process_credentials peer;
    if (const int error =
            posix_socket::peer_of(require_fd("peer_credentials of"), peer))
        throw os_error(error, "peer_credentials of", stream_core::describe("→"));
    return peer;
}

unix_address unix_socket_stream::remote_address() const {
    return posix_socket::remote_unix_address(require_fd("remote_address of"));
}

unix_address unix_socket_stream::local_address() const {
    return posix_socket::require_local_unix_address(require_fd("local_address of"));
}

unix_socket_stream unix_socket_stream::from_fd(unique_fd&& fd) {
    return unix_socket_stream(posix_socket::adopt(
        fd,
        {.operation = "unix_socket_stream::from_fd",
         .is_unix_domain = true,
         .listens = false}
    ));
}

std::pair<unix_socket_stream, unix_socket_stream> create_unix_socket_pair() {
    auto& loop = lowlevel::require_loop("create_unix_socket_pair");
    auto ends = posix_socket::open_unix_pair();
    const auto make = [&](unique_fd& fd) {
        backends::descriptor& target =
            lowlevel::scheduler::of(loop).backend().attach(fd.get());
        static_cast<void>(fd.release());
        return unix_socket_stream(target);
    };
    unix_socket_stream one = make(ends.first);
    unix_socket_stream two = make(ends.second);
    return {std::move(one), std::move(two)};
}

}  // namespace anyio
