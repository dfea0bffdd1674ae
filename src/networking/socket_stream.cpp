// SPDX-License-Identifier: MIT
#include <anyio/networking/socket_stream.hpp>

#include <anyio/base/describe.hpp>
#include "posix_adopt.hpp"
#include "posix_socket.hpp"

namespace anyio {

constinit const detail::stream_kind socket_stream::kind_ =
    detail::stream_operation::make_kind(
        {"socket_stream",
         "socket_stream::receive",
         "socket_stream::send",
         "socket_stream::send_eof"},
        &socket_stream::describe
    );

std::string
socket_stream::describe(const detail::stream_core& stream, std::string_view arrow) {
    const ip_endpoint& remote = static_cast<const socket_stream&>(stream).remote_;
    if (stream.fd() < 0)
        return anyio::describe("socket_stream ", arrow, ' ', remote);
    const ip_endpoint local = posix_socket::local_address(stream.fd());
    return anyio::describe("socket_stream ", local, ' ', arrow, ' ', remote);
}

ip_endpoint socket_stream::local_address() const {
    return posix_socket::require_local_address(require_fd("local_address of"));
}

socket_stream socket_stream::from_fd(unique_fd&& fd) {
    const ip_endpoint remote = posix_socket::remote_address(fd.get());
    backends::descriptor& target = posix_socket::adopt(
        fd,
        {.operation = "socket_stream::from_fd",
         .is_unix_domain = false,
         .listens = false}
    );
    return {target, remote};
}

}  // namespace anyio
