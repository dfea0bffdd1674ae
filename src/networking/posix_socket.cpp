// SPDX-License-Identifier: MIT
#include "posix_socket.hpp"

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include "../backends/posix/system_calls.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

namespace anyio {

namespace {

class getaddrinfo_errors final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "getaddrinfo"; }

    [[nodiscard]] std::string message(int value) const override {
        std::string text = ::gai_strerror(value);
        if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z')
            text[0] = static_cast<char>(text[0] - 'A' + 'a');
        return describe(text, " (", name_of_error(value), ')');
    }

private:
    static std::string name_of_error(int value) {
        switch (value) {
        case EAI_AGAIN:
            return "EAI_AGAIN";
        case EAI_BADFLAGS:
            return "EAI_BADFLAGS";
        case EAI_FAIL:
            return "EAI_FAIL";
        case EAI_FAMILY:
            return "EAI_FAMILY";
        case EAI_MEMORY:
            return "EAI_MEMORY";
        case EAI_NONAME:
            return "EAI_NONAME";
        case EAI_OVERFLOW:
            return "EAI_OVERFLOW";
        case EAI_SERVICE:
            return "EAI_SERVICE";
        case EAI_SOCKTYPE:
            return "EAI_SOCKTYPE";
        case EAI_SYSTEM:
            return "EAI_SYSTEM";
        case EAI_NODATA:  // glibc's, not in POSIX
            return "EAI_NODATA";
        case EAI_ADDRFAMILY:
            return "EAI_ADDRFAMILY";
        default:
            return describe("getaddrinfo ", value);
        }
    }
};

/// Never destroyed: errors may outlive static objects.
union immortal_category {
    constexpr immortal_category() noexcept : category() {}

    ~immortal_category() {}

    immortal_category(const immortal_category&) = delete;
    immortal_category& operator=(const immortal_category&) = delete;

    getaddrinfo_errors category;
};

}  // namespace

const std::error_category& getaddrinfo_category() noexcept {
    static constinit immortal_category instance;
    return instance.category;
}

namespace posix_socket {

namespace {

static_assert(native_address::room == sizeof(sockaddr_un));
static_assert(native_address::room >= sizeof(sockaddr_in6));

constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);
static_assert(unix_address::max_size + 1 == sizeof(sockaddr_un::sun_path));

bool set_option(int fd, int level, int name, int value) noexcept {
    return sys::setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

template <class Call>
native_address address_from(Call call, int fd) noexcept {
    native_address address;
    socklen_t length = native_address::room;
    if (call(fd, reinterpret_cast<sockaddr*>(address.data), &length) == 0)
        // One more than there is room for, if the NUL after a path has none (unix(7)).
        address.size = std::min<std::size_t>(length, native_address::room);
    return address;
}

}  // namespace

native_address to_native(const ip_endpoint& endpoint) noexcept {
    native_address result{};
    if (endpoint.is_v6()) {
        const ipv6_address v6 = endpoint.address().v6();
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(endpoint.port());
        address.sin6_scope_id = v6.scope_id();
        std::memcpy(&address.sin6_addr, v6.bytes().data(), v6.bytes().size());
        std::memcpy(result.data, &address, sizeof(address));
        result.size = sizeof(address);
    } else {
        const ipv4_address v4 = endpoint.address().v4();
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(endpoint.port());
        std::memcpy(&address.sin_addr, v4.bytes().data(), v4.bytes().size());
        std::memcpy(result.data, &address, sizeof(address));
        result.size = sizeof(address);
    }
    return result;
}

native_address to_native(const unix_address& address) noexcept {
    native_address result{};
    const sa_family_t family = AF_UNIX;
    const std::string_view name = address.name();
    std::memcpy(result.data, &family, sizeof(family));
    std::memcpy(result.data + path_offset, name.data(), name.size());
    // A path and its NUL, an abstract name and nothing, or the family alone (unix(7)).
    result.size = std::min(
        path_offset + name.size() + (address.is_path() ? 1 : 0), native_address::room
    );
    return result;
}

unix_address unix_from_native(const native_address& address) noexcept {
    sa_family_t family = AF_UNSPEC;
    if (address.size <= path_offset || address.size > native_address::room)
        return {};
    std::memcpy(&family, address.data, sizeof(family));
    if (family != AF_UNIX)
        return {};
    const auto* const name = reinterpret_cast<const char*>(address.data + path_offset);
    return unix_address::from_system({name, address.size - path_offset});
}

ip_endpoint from_native(const native_address& address) noexcept {
    sockaddr_storage any{};
    if (address.size < sizeof(sa_family_t) || address.size > native_address::room)
        return {};
    std::memcpy(&any, address.data, address.size);
    if (any.ss_family == AF_INET && address.size >= sizeof(sockaddr_in)) {
        sockaddr_in in{};
        std::memcpy(&in, address.data, sizeof(in));
        ipv4_address::octets octets{};
        std::memcpy(octets.data(), &in.sin_addr, octets.size());
        return {ipv4_address(octets), ntohs(in.sin_port)};
    }
    if (any.ss_family == AF_INET6 && address.size >= sizeof(sockaddr_in6)) {
        sockaddr_in6 in{};
        std::memcpy(&in, address.data, sizeof(in));
        ipv6_address::octets octets{};
        std::memcpy(octets.data(), &in.sin6_addr, octets.size());
        const ipv6_address v6(octets, in.sin6_scope_id);
        if (const auto v4 = v6.mapped_v4())
            return {*v4, ntohs(in.sin6_port)};
        return {v6, ntohs(in.sin6_port)};
    }
    return {};
}

ip_endpoint local_address(int fd) noexcept {
    return from_native(address_from(sys::getsockname, fd));
}

ip_endpoint remote_address(int fd) noexcept {
    return from_native(address_from(sys::getpeername, fd));
}

unix_address local_unix_address(int fd) noexcept {
    return unix_from_native(address_from(sys::getsockname, fd));
}

unix_address remote_unix_address(int fd) noexcept {
    return unix_from_native(address_from(sys::getpeername, fd));
}

ip_endpoint require_local_address(int fd) {
    const native_address address = address_from(sys::getsockname, fd);
    if (address.size == 0)
        throw os_error(errno, "getsockname", describe("fd ", fd));
    return from_native(address);
}

unix_address require_local_unix_address(int fd) {
    const native_address address = address_from(sys::getsockname, fd);
    if (address.size == 0)
        throw os_error(errno, "getsockname", describe("fd ", fd));
    return unix_from_native(address);
}

// TCP_NODELAY as anyio and trio do; what listeners accept inherits it (tcp(7)).
unique_fd open_tcp(bool v6) {
    constexpr int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    unique_fd fd(sys::socket(v6 ? AF_INET6 : AF_INET, type, IPPROTO_TCP));
    if (!fd)
        throw os_error(errno, "socket", v6 ? "tcp over IPv6" : "tcp over IPv4");
    set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    return fd;
}

// A socket of IP may be of another protocol, or have one put upon it (TCP_ULP: TLS in the
// kernel), and then its receives may end at records.
backends::descriptor_kind kind_of_stream(int fd) noexcept {
    int protocol = 0;
    socklen_t size = sizeof(protocol);
    if (sys::getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) != 0 ||
        protocol != IPPROTO_TCP)
        return backends::descriptor_kind::any;
    char upper[16];  // TCP_ULP_NAME_MAX
    size = sizeof(upper);
    const bool is_plain =
        sys::getsockopt(fd, IPPROTO_TCP, TCP_ULP, upper, &size) == 0 && size == 0;
    return is_plain ? backends::descriptor_kind::tcp : backends::descriptor_kind::any;
}

int bind(int fd, const ip_endpoint& to, bind_options options) noexcept {
    if (options.reuse_address && !set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1))
        return errno;
    if (options.reuse_port && !set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1))
        return errno;
    if (to.is_v6() &&
        !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only ? 1 : 0))
        return errno;
    const native_address address = to_native(to);
    const auto* const generic = reinterpret_cast<const sockaddr*>(address.data);
    const auto size = static_cast<socklen_t>(address.size);
    return sys::bind(fd, generic, size) == 0 ? 0 : errno;
}

int listen(int fd, int backlog) noexcept {
    return sys::listen(fd, backlog) == 0 ? 0 : errno;
}

void throw_bind_error(int error, const ip_endpoint& to, std::string_view operation) {
    const bool privileged = error == EACCES && to.port() != 0 && to.port() < 1024;
    const bool foreign = error == EADDRNOTAVAIL;
    throw os_error(
        error,
        operation,
        to_string(to),
        privileged ? "ports below 1024 need CAP_NET_BIND_SERVICE"
        : foreign  ? "no interface of this machine has that address"
                   : ""
    );
}

int shut_down_sending(int fd) noexcept {
    return sys::shutdown(fd, SHUT_WR) == 0 ? 0 : errno;
}

std::vector<ip_endpoint>
resolve(const std::string& host, std::uint16_t port, getaddrinfo_options options) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_family = options.family == address_family::ipv4   ? AF_INET
                      : options.family == address_family::ipv6 ? AF_INET6
                                                               : AF_UNSPEC;
    hints.ai_flags = AI_NUMERICSERV | (options.passive ? AI_PASSIVE : 0);
    addrinfo* found = nullptr;
    const std::string service = describe(port);
    const char* const node = host.empty() ? nullptr : host.c_str();
    const int error = ::getaddrinfo(node, service.c_str(), &hints, &found);
    if (error == EAI_SYSTEM)
        throw os_error(errno, "getaddrinfo", host);
    if (error != 0)
        throw os_error(
            std::error_code(error, getaddrinfo_category()), "getaddrinfo", host
        );
    std::vector<ip_endpoint> endpoints;
    try {
        for (const addrinfo* at = found; at; at = at->ai_next) {
            native_address address{};
            address.size = std::min<std::size_t>(at->ai_addrlen, native_address::room);
            std::memcpy(address.data, at->ai_addr, address.size);
            const ip_endpoint endpoint = from_native(address);
            if (endpoint && std::ranges::find(endpoints, endpoint) == endpoints.end())
                endpoints.push_back(endpoint);
        }
    } catch (...) {
        ::freeaddrinfo(found);
        throw;
    }
    ::freeaddrinfo(found);
    if (endpoints.empty())
        throw_unknown(host);
    return endpoints;
}

name_info name_of(const ip_endpoint& endpoint, getnameinfo_options options) {
    const int wishes = (options.numeric_host ? NI_NUMERICHOST : 0) |
                       (options.numeric_service ? NI_NUMERICSERV : 0) |
                       (options.name_required ? NI_NAMEREQD : 0) |
                       (options.datagram ? NI_DGRAM : 0);
    const native_address address = to_native(endpoint);
    char host[NI_MAXHOST];
    char service[NI_MAXSERV];
    const int error = ::getnameinfo(
        reinterpret_cast<const sockaddr*>(address.data),
        static_cast<socklen_t>(address.size),
        host,
        sizeof(host),
        service,
        sizeof(service),
        wishes
    );
    if (error == EAI_SYSTEM)
        throw os_error(errno, "getnameinfo", to_string(endpoint));
    if (error != 0)
        throw os_error(
            std::error_code(error, getaddrinfo_category()),
            "getnameinfo",
            to_string(endpoint)
        );
    return {host, service};
}

void throw_unknown(const std::string& host) {
    throw os_error(
        std::error_code(EAI_NONAME, getaddrinfo_category()), "getaddrinfo", host
    );
}

void throw_wrong_family(const std::string& host) {
    throw os_error(
        std::error_code(EAI_ADDRFAMILY, getaddrinfo_category()), "getaddrinfo", host
    );
}

std::uint32_t interface_number(const std::string& name) noexcept {
    return ::if_nametoindex(name.c_str());
}

// The network errors of the new socket come out of accept(2), and are to be treated like
// EAGAIN (its section "Error handling"). EPERM is not one of them: it may be a firewall's
// for one connection, but also a filter of system calls', for ever.
bool concerns_one_connection(int error) noexcept {
    switch (error) {
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case ETIMEDOUT:
        return true;
    default:
        return false;
    }
}

bool may_pass(int error) noexcept {
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS ||
           error == EPERM || concerns_one_connection(error);
}

// ENOSPC: the user's limit on epoll watches (epoll_ctl(2)).
bool is_lack_of_memory(int error) noexcept {
    return error == ENOMEM || error == ENOBUFS || error == ENOSPC;
}

}  // namespace posix_socket

}  // namespace anyio
