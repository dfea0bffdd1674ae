// SPDX-License-Identifier: MIT
#include <anyio/networking/getaddrinfo.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/lowlevel/run_var.hpp>
#include "begin_step.hpp"
#include "posix_socket.hpp"
#include "worker_lookup.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace anyio {

namespace {

// What the loop has the resolver under.
constexpr char resolver_key = 0;

/// The resolver of the running loop; null: the system's.
resolver*& current_resolver() {
    auto& slot = lowlevel::run_variable(&resolver_key);
    if (!slot)
        slot = std::make_shared<resolver*>(nullptr);
    return *static_cast<resolver**>(slot.get());
}

/// @throws usage_error  for what no resolver should ever see: a zero would cut the name
///                      short, and other letters than ASCII mean what the locale says
void check_host_name(std::string_view host) {
    constexpr std::size_t longest = 253;  // RFC 1035, 2.3.4, as text
    const auto is_bad = [](unsigned char c) {
        return c <= ' ' || c >= 0x7f || c == '/';
    };
    if (host.size() > longest + 1 || std::ranges::any_of(host, is_bad))
        throw usage_error(describe(
            "getaddrinfo \"",
            host.substr(0, longest),
            "\": not a host name; use letters, digits, hyphens and dots, other alphabets "
            "encoded by IDNA (xn--...)"
        ));
}

/// An address whose scope is the name of an interface: `fe80::1%eth0`.
std::optional<ip_address> parse_with_interface(std::string_view host) {
    const auto percent = host.find('%');
    if (percent == std::string_view::npos)
        return ip_address::parse(host);
    if (const auto address = ip_address::parse(host))
        return address;
    const auto address = ip_address::parse(host.substr(0, percent));
    const auto number =
        posix_socket::interface_number(std::string(host.substr(percent + 1)));
    if (!address || !address->is_v6() || number == 0)
        return std::nullopt;
    return ipv6_address(address->v6().bytes(), number);
}

// Not coroutines: a closure that is a temporary in an awaited call is destroyed twice by
// g++ 12 (docs/manual/compilers.md).
task<std::vector<ip_endpoint>>
ask_system(std::string host, std::uint16_t port, getaddrinfo_options options) {
    return detail::look_up_in_worker<std::vector<ip_endpoint>>(
        "getaddrinfo",
        [host = std::move(host), port, options] {
            return posix_socket::resolve(host, port, options);
        }
    );
}

task<name_info> ask_system(ip_endpoint endpoint, getnameinfo_options options) {
    return detail::look_up_in_worker<name_info>("getnameinfo", [endpoint, options] {
        return posix_socket::name_of(endpoint, options);
    });
}

task<std::vector<ip_endpoint>>
look_up(std::string host, std::uint16_t port, getaddrinfo_options options) {
    co_await detail::begin_step();
    std::vector<ip_endpoint> found;
    if (const auto address = parse_with_interface(host)) {
        const bool wanted =
            options.family == address_family::any ||
            (options.family == address_family::ipv6) == address->is_v6();
        if (!wanted)
            posix_socket::throw_wrong_family(host);
        found.emplace_back(*address, port);
        co_return found;
    }
    check_host_name(host);
    if (resolver* const other = current_resolver()) {
        found = co_await other->getaddrinfo(host, port, options);
        if (found.empty())
            posix_socket::throw_unknown(host);
        co_return found;
    }
    found = co_await ask_system(std::move(host), port, options);
    co_return found;
}

task<name_info> name(ip_endpoint endpoint, getnameinfo_options options) {
    co_await detail::begin_step();
    if (!endpoint)
        throw usage_error("getnameinfo: there is no endpoint");
    name_info found;
    if (options.numeric_host && options.numeric_service && !options.name_required) {
        found.host = to_string(endpoint.address());
        found.service = describe(endpoint.port());
    } else if (resolver* const other = current_resolver()) {
        found = co_await other->getnameinfo(endpoint, options);
    } else {
        found = co_await ask_system(endpoint, options);
    }
    co_return found;
}

}  // namespace

task<name_info>
resolver::getnameinfo(ip_endpoint endpoint, getnameinfo_options options) {
    return ask_system(endpoint, options);
}

task<name_info> getnameinfo(ip_endpoint endpoint, getnameinfo_options options) {
    static_cast<void>(lowlevel::require_loop("getnameinfo"));
    return name(endpoint, options);
}

// Not a coroutine: what `host` refers to may be gone when the task begins.
task<std::vector<ip_endpoint>>
getaddrinfo(std::string_view host, std::uint16_t port, getaddrinfo_options options) {
    static_cast<void>(lowlevel::require_loop("getaddrinfo"));
    return look_up(std::string(host), port, options);
}

resolver* set_resolver(resolver* replacement) {
    return std::exchange(current_resolver(), replacement);
}

}  // namespace anyio
