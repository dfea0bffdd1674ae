// SPDX-License-Identifier: MIT
#include <anyio/networking/getaddrinfo.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/lowlevel/checkpoint.hpp>
#include <anyio/lowlevel/run_var.hpp>
#include <anyio/lowlevel/token.hpp>
#include <anyio/lowlevel/wait_task_rescheduled.hpp>
#include "../threads/worker_pool.hpp"
#include "posix_socket.hpp"

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

/// Shared by the task, the worker thread and the message between them. `waiting` belongs
/// to the loop's thread, the answer to the worker's until it posts.
struct lookup {
    lowlevel::task_state* waiting =
        nullptr;  // null: answered, or nobody waits any more
    std::vector<ip_endpoint> found;
    std::exception_ptr error;
};

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

task<std::vector<ip_endpoint>>
look_up_in_worker(std::string host, std::uint16_t port, getaddrinfo_options options) {
    co_await lowlevel::checkpoint_if_cancelled();
    const auto shared = std::make_shared<lookup>();
    shared->waiting = &lowlevel::current();
    threads::worker_pool::instance().run(
        [shared, host, port, options, loop = lowlevel::current_token()] {
            try {
                shared->found = posix_socket::resolve(host, port, options);
            } catch (...) {
                shared->error = std::current_exception();
            }
            try {
                loop.run_sync_soon([shared] {
                    if (auto* const waiting = std::exchange(shared->waiting, nullptr))
                        lowlevel::reschedule(*waiting);
                });
            } catch (const run_finished_error&) {
                return;  // so nobody waits
            }
        }
    );
    lookup* const ours = shared.get();
    co_await lowlevel::wait_task_rescheduled("getaddrinfo", [ours]() noexcept {
        ours->waiting = nullptr;
        return lowlevel::abort_result::done;
    });
    if (shared->error)
        std::rethrow_exception(shared->error);
    co_return std::move(shared->found);
}

task<std::vector<ip_endpoint>>
look_up(std::string host, std::uint16_t port, getaddrinfo_options options) {
    co_await lowlevel::checkpoint_if_cancelled();
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
        found = co_await other->getaddrinfo(std::move(host), port, options);
        co_return found;
    }
    found = co_await look_up_in_worker(std::move(host), port, options);
    co_return found;
}

}  // namespace

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
