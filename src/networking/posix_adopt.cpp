// SPDX-License-Identifier: MIT
#include "posix_adopt.hpp"

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include "../backends/posix/system_calls.hpp"
#include "../lowlevel/scheduler.hpp"
#include "posix_socket.hpp"

#include <cerrno>
#include <string>

#include <fcntl.h>
#include <netinet/in.h>

namespace anyio::posix_socket {

namespace {

class candidate {
public:
    candidate(int fd, const char* operation) noexcept
        : fd_(fd), operation_(operation) {}

    [[nodiscard]] std::string subject() const { return describe("fd ", fd_); }

    [[noreturn]] void refuse(std::string_view why) const {
        throw usage_error(describe(operation_, ' ', subject(), ": ", why));
    }

    [[nodiscard]] int option(int name) const {
        int value = 0;
        socklen_t size = sizeof(value);
        if (sys::getsockopt(fd_, SOL_SOCKET, name, &value, &size) == 0)
            return value;
        if (errno == ENOTSOCK)
            refuse("it is no socket (ENOTSOCK)");
        fail();
    }

    [[nodiscard]] bool is_connected() const {
        native_address peer;
        socklen_t size = native_address::room;
        auto* const address = reinterpret_cast<sockaddr*>(peer.data);
        if (sys::getpeername(fd_, address, &size) == 0)
            return true;
        if (errno != ENOTCONN)
            fail();
        return false;
    }

    [[nodiscard]] bool has_port() const noexcept {
        return local_address(fd_).port() != 0;
    }

    void make_non_blocking() const {
        const int status = ::fcntl(fd_, F_GETFL);
        if (status < 0 || ::fcntl(fd_, F_SETFL, status | O_NONBLOCK) != 0)
            fail();
        const int own = ::fcntl(fd_, F_GETFD);
        if (own < 0 || ::fcntl(fd_, F_SETFD, own | FD_CLOEXEC) != 0)
            fail();
    }

private:
    [[noreturn]] void fail() const { throw os_error(errno, operation_, subject()); }

    int fd_;
    const char* operation_;
};

void check(const candidate& socket, const stream_requirement& required) {
    if (socket.option(SO_TYPE) != SOCK_STREAM)
        socket.refuse("the socket is not of type SOCK_STREAM");
    const int domain = socket.option(SO_DOMAIN);
    if (required.is_unix_domain && domain != AF_UNIX)
        socket.refuse("the socket is not of family AF_UNIX");
    if (!required.is_unix_domain && domain != AF_INET && domain != AF_INET6)
        socket.refuse("the socket is not of family AF_INET or AF_INET6");
    const bool listens = socket.option(SO_ACCEPTCONN) != 0;
    if (required.listens && !listens)
        socket.refuse("the socket does not listen; call listen(2) first");
    if (!required.listens && listens)
        socket.refuse("the socket listens; a listener takes it");
    if (!required.listens && !socket.is_connected())
        socket.refuse("the socket is not connected (ENOTCONN)");
}

void check(const candidate& socket, const datagram_requirement& required) {
    if (socket.option(SO_TYPE) != SOCK_DGRAM)
        socket.refuse("the socket is not of type SOCK_DGRAM");
    const int domain = socket.option(SO_DOMAIN);
    if (required.is_unix_domain && domain != AF_UNIX)
        socket.refuse("the socket is not of family AF_UNIX");
    if (!required.is_unix_domain && domain != AF_INET && domain != AF_INET6)
        socket.refuse("the socket is not of family AF_INET or AF_INET6");
    if (required.is_connected && !socket.is_connected())
        socket.refuse("the socket is not connected (ENOTCONN)");
    if (!required.is_connected && socket.is_connected())
        socket.refuse("the socket is connected; a connected socket takes it");
    if (!required.is_connected && !required.is_unix_domain && !socket.has_port())
        socket.refuse("the socket is not bound; call bind(2) first");
}

template <class Requirement>
backends::descriptor& check_and_adopt(unique_fd& fd, const Requirement& required) {
    auto& loop = lowlevel::require_loop(required.operation);
    const candidate socket(fd.get(), required.operation);
    check(socket, required);
    socket.make_non_blocking();
    backends::descriptor& target = lowlevel::scheduler::of(loop).backend().attach(
        fd.get(), kind_of_stream(fd.get())
    );
    static_cast<void>(fd.release());
    return target;
}

}  // namespace

backends::descriptor& adopt(unique_fd& fd, const stream_requirement& required) {
    return check_and_adopt(fd, required);
}

backends::descriptor& adopt(unique_fd& fd, const datagram_requirement& required) {
    return check_and_adopt(fd, required);
}

bool is_v6(int fd) noexcept {
    int domain = 0;
    socklen_t size = sizeof(domain);
    return sys::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
           domain == AF_INET6;
}

}  // namespace anyio::posix_socket
