// SPDX-License-Identifier: MIT
#include "posix_datagram.hpp"

#include <anyio/base/errors.hpp>
#include "../backends/posix/system_calls.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <type_traits>

#include <netinet/in.h>
#include <sys/uio.h>
#include <sys/un.h>

namespace anyio::posix_socket {

namespace {

constexpr int datagram_type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

struct message {
    msghdr header;
    iovec piece;
    std::byte address[112];
};

static_assert(sizeof(message) <= native_message::size && alignof(message) <= 8);
static_assert(sizeof(message::address) >= native_address::room);
static_assert(std::is_trivially_destructible_v<message>);

message& message_at(std::byte* at) noexcept {
    return *std::launder(reinterpret_cast<message*>(at));
}

}  // namespace

unique_fd open_udp(bool v6) {
    unique_fd fd(sys::socket(v6 ? AF_INET6 : AF_INET, datagram_type, IPPROTO_UDP));
    if (!fd)
        throw os_error(errno, "socket", v6 ? "udp over IPv6" : "udp over IPv4");
    return fd;
}

unique_fd open_unix_datagram() {
    unique_fd fd(sys::socket(AF_UNIX, datagram_type, 0));
    if (!fd)
        throw os_error(errno, "socket", "unix datagram");
    return fd;
}

ip_endpoint mapped(const ip_endpoint& v4) noexcept {
    ipv6_address::octets octets{};
    octets[10] = octets[11] = 0xff;
    std::ranges::copy(v4.address().v4().bytes(), octets.begin() + 12);
    return {ipv6_address(octets), v4.port()};
}

int connect_datagram(int fd, const native_address& to) noexcept {
    const auto* const address = reinterpret_cast<const sockaddr*>(to.data);
    int result = 0;
    do {
        result = sys::connect(fd, address, static_cast<socklen_t>(to.size));
    } while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno;
}

// As many as one queue ever holds: from then on only the peer's can be there.
void drop_received(int fd) noexcept {
    constexpr int most = 100'000;
    std::byte one{};
    for (int i = 0; i < most; ++i)
        if (sys::recv(fd, &one, sizeof(one), MSG_DONTWAIT) < 0 && errno != EINTR)
            return;
}

void native_message::create() noexcept {
    auto& made = *new (at_) message;
    made.header = {};
    made.piece = {};
    made.header.msg_iov = &made.piece;
    made.header.msg_iovlen = 1;
}

void native_message::set_data(void* data, std::size_t length) noexcept {
    message_at(at_).piece = {data, length};
}

void native_message::want_address() noexcept {
    message& made = message_at(at_);
    made.header.msg_name = made.address;
    made.header.msg_namelen = native_address::room;
}

void native_message::set_address(const native_address& to) noexcept {
    message& made = message_at(at_);
    std::memcpy(made.address, to.data, to.size);
    made.header.msg_name = made.address;
    made.header.msg_namelen = static_cast<socklen_t>(to.size);
}

native_address native_message::address() const noexcept {
    const message& made = message_at(at_);
    native_address result{};
    // One more than there is room for, if the NUL after a path has none (unix(7)).
    result.size = std::min<std::size_t>(made.header.msg_namelen, native_address::room);
    std::memcpy(result.data, made.address, result.size);
    return result;
}

bool native_message::was_truncated() const noexcept {
    return (message_at(at_).header.msg_flags & MSG_TRUNC) != 0;
}

std::int64_t native_message::send(int fd) const noexcept {
    ssize_t sent = 0;
    do {
        sent = sys::sendmsg(fd, &message_at(at_).header, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

bool has_room(int fd) noexcept {
    pollfd asked{fd, POLLOUT, 0};
    return sys::poll(&asked, 1, 0) != 0;
}

// Those of ICMP (udp(7), RFC 1122 4.1.3.3), and those of UNIX sockets whose peer has gone.
bool concerns_peer(int error) noexcept {
    switch (error) {
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case ENOTCONN:
    case EOPNOTSUPP:
    case EPIPE:
    case EPROTO:
        return true;
    default:
        return false;
    }
}

}  // namespace anyio::posix_socket
