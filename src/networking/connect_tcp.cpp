// SPDX-License-Identifier: MIT
#include <anyio/networking/connect_tcp.hpp>

#include <anyio/base/caught_as.hpp>
#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/base/exception_group.hpp>
#include <anyio/basics/with.hpp>
#include <anyio/cancellation/move_on_after.hpp>
#include <anyio/synchronization/event.hpp>
#include <anyio/tasks/task_group.hpp>
#include "begin_step.hpp"
#include "connect_operation.hpp"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <functional>
#include <optional>
#include <type_traits>

namespace anyio {

static_assert(std::is_trivially_destructible_v<connect_tcp_options>);

namespace {

/// What one call of connect_tcp() has to do.
struct connect_request {
    std::string host;
    std::uint16_t port;
    std::string local_host;
    std::uint16_t local_port;
    duration stagger;
};

/// `db.internal:5432`, `[::1]:5432`
std::string to_string(const connect_request& request) {
    const bool is_v6 = request.host.find(':') != std::string::npos;
    return describe(is_v6 ? "[" : "", request.host, is_v6 ? "]:" : ":", request.port);
}

constexpr lowlevel::wait_kind connect_kind =
    detail::connect_operation::make_kind("connect_tcp");

/// Connects to one address. Throws os_error.
task<socket_stream> connect_to(ip_endpoint remote, ip_endpoint local) {
    unique_fd fd = posix_socket::open_tcp(remote.is_v6());
    if (local) {
        const posix_socket::bind_options options{.reuse_address = local.port() != 0};
        if (const int error = posix_socket::bind(fd.get(), local, options))
            posix_socket::throw_bind_error(error, local);
    }
    detail::connecting_socket socket(std::move(fd), backends::descriptor_kind::tcp);
    posix_socket::native_address address = posix_socket::to_native(remote);
    const std::int64_t result =
        co_await detail::connect_operation(connect_kind, socket.target(), address);
    if (result < 0)
        throw os_error(static_cast<int>(-result), "connect tcp", to_string(remote));
    co_return socket_stream(socket.connected(), remote);
}

/// RFC 8305, 4: families take turns, the one of the best address first.
std::vector<ip_endpoint> interleave(const std::vector<ip_endpoint>& sorted) {
    std::deque<ip_endpoint> first;
    std::deque<ip_endpoint> second;
    for (const ip_endpoint& endpoint : sorted)
        (endpoint.is_v6() == sorted.front().is_v6() ? first : second)
            .push_back(endpoint);
    std::vector<ip_endpoint> result;
    while (!first.empty() || !second.empty()) {
        for (auto* family : {&first, &second}) {
            if (family->empty())
                continue;
            result.push_back(family->front());
            family->pop_front();
        }
    }
    return result;
}

[[noreturn]] void throw_no_way(
    const connect_request& request, const ip_endpoint& remote, const ip_endpoint& local
) {
    const os_error cause(
        EAFNOSUPPORT,
        "connect tcp",
        to_string(remote),
        describe(
            "all addresses of \"",
            request.host,
            "\" are of another family than the local one, ",
            local.address()
        )
    );
    throw_caused(
        connection_failed(describe("connect_tcp ", request, ": ", cause.what())),
        std::make_exception_ptr(cause)
    );
}

/// Happy eyeballs: attempts that overlap, the first connection wins.
class race {
public:
    race(
        const std::vector<ip_endpoint>& remotes, const std::vector<ip_endpoint>& locals
    ) {
        for (const ip_endpoint& remote : remotes)
            if (const auto local = local_for(remote, locals))
                attempts_.emplace_back(remote, *local);
    }

    [[nodiscard]] bool is_empty() const noexcept { return attempts_.empty(); }

    [[nodiscard]] task<> run(duration stagger) {
        co_await with(create_task_group(), [&](task_group& group) -> task<> {
            for (attempt& next : attempts_) {
                const std::string name = describe("connect_tcp ", next.remote);
                group.start_soon(
                    {.name = name},
                    [this](attempt& a, task_group& g) { return try_one(a, g); },
                    std::ref(next),
                    std::ref(group)
                );
                co_await move_on_after(stagger, next.failed.wait());
            }
        });
    }

    [[nodiscard]] std::optional<socket_stream>& winner() noexcept { return winner_; }

    /// Every attempt has failed.
    [[noreturn]] void fail(const connect_request& request) const {
        const std::string subject = describe("connect_tcp ", request, ": ");
        if (attempts_.size() == 1) {
            const os_error& only = *caught_as<os_error>(attempts_.front().error);
            throw_caused(
                connection_failed(subject + cause_text(only)), attempts_.front().error
            );
        }
        std::string text =
            describe(subject, "none of ", attempts_.size(), " addresses answered");
        std::size_t width = 0;
        for (const attempt& a : attempts_)
            width = std::max(width, to_string(a.remote).size());
        std::vector<std::exception_ptr> errors;
        for (const attempt& a : attempts_) {
            std::string line = to_string(a.remote);
            line.resize(width + 4, ' ');
            text += "\n  " + line + cause_text(*caught_as<os_error>(a.error));
            errors.push_back(a.error);
        }
        const std::string group = describe(subject, "no address answered");
        throw_caused(
            connection_failed(text),
            std::make_exception_ptr(exception_group(group, std::move(errors)))
        );
    }

private:
    struct attempt {
        attempt(const ip_endpoint& to, const ip_endpoint& from) noexcept
            : remote(to), local(from) {}

        ip_endpoint remote;
        ip_endpoint local;
        event failed;
        std::exception_ptr error;
    };

    /// Where to connect from, no endpoint if that is the system's choice; empty: there is
    /// no way, since the family is another one.
    static std::optional<ip_endpoint>
    local_for(const ip_endpoint& remote, const std::vector<ip_endpoint>& locals) {
        if (locals.empty())
            return ip_endpoint();
        const auto found =
            std::ranges::find(locals, remote.is_v6(), &ip_endpoint::is_v6);
        if (found == locals.end())
            return std::nullopt;
        return *found;
    }

    // What follows "connect tcp 10.0.0.5:5432: ", or the whole of another error.
    static std::string cause_text(const os_error& error) {
        const std::string_view text = error.what();
        const auto begin = error.operation().size() + 1 + error.subject().size() + 2;
        if (error.operation() != "connect tcp")
            return std::string(text);
        return std::string(text.substr(begin));
    }

    task<> try_one(attempt& a, task_group& group) {
        try {
            socket_stream stream = co_await connect_to(a.remote, a.local);
            if (!winner_) {
                winner_.emplace(std::move(stream));
                group.cancel("another address answered first");
            }
        } catch (const os_error&) {
            a.error = std::current_exception();
            a.failed.set();
        }
    }

    std::deque<attempt> attempts_;
    std::optional<socket_stream> winner_;
};

task<std::vector<ip_endpoint>> local_endpoints(const connect_request& request) {
    std::vector<ip_endpoint> locals;
    if (!request.local_host.empty()) {
        locals = co_await getaddrinfo(
            request.local_host, request.local_port, {.passive = true}
        );
    } else if (request.local_port != 0) {
        locals.emplace_back(ipv4_address::any(), request.local_port);
        locals.emplace_back(ipv6_address::any(), request.local_port);
    }
    co_return locals;
}

task<socket_stream> connect(connect_request request) {
    co_await detail::begin_step();
    if (request.port == 0)
        throw usage_error(
            describe("connect_tcp ", request, ": port 0 cannot be connected to")
        );
    if (request.stagger < duration::zero())
        throw usage_error(
            describe("connect_tcp ", request, ": the happy_eyeballs_delay is negative")
        );
    std::vector<ip_endpoint> remotes = co_await getaddrinfo(request.host, request.port);
    std::vector<ip_endpoint> locals = co_await local_endpoints(request);
    race attempts(interleave(remotes), locals);
    if (attempts.is_empty())
        throw_no_way(request, remotes.front(), locals.front());
    co_await attempts.run(request.stagger);
    std::optional<socket_stream>& winner = attempts.winner();
    if (!winner)
        attempts.fail(request);
    co_return std::move(*winner);
}

}  // namespace

// Not a coroutine: what `host` refers to may be gone when the task begins.
task<socket_stream>
connect_tcp(std::string_view host, std::uint16_t port, connect_tcp_options options) {
    return connect(
        {std::string(host),
         port,
         std::string(options.local_host),
         options.local_port,
         options.happy_eyeballs_delay}
    );
}

}  // namespace anyio
