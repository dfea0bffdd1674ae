// SPDX-License-Identifier: MIT
#include <anyio/networking/unix_listener.hpp>

#include <anyio/base/errors.hpp>
#include "begin_step.hpp"
#include "listener_core.hpp"
#include "posix_adopt.hpp"
#include "posix_unix_socket.hpp"

#include <type_traits>

namespace anyio {

static_assert(std::is_trivially_destructible_v<create_unix_listener_options>);

namespace {

void check(const unix_address& at, const create_unix_listener_options& options) {
    const auto refuse = [&](auto... why) {
        throw usage_error(describe("create_unix_listener ", at, ": ", why...));
    };
    if (at.is_unnamed())
        refuse("the address is unnamed");
    if (options.backlog < 0)
        refuse("the backlog is ", options.backlog, ", negative");
    if (options.mode && at.is_abstract())
        refuse("an abstract name has no permissions; ask for peer_credentials() instead"
        );
    if (options.mode && *options.mode > 07777)
        refuse("the mode is ", *options.mode, ", more than 07777");
}

}  // namespace

constinit const detail::listener_kind unix_listener::kind_ =
    detail::accept_core::make_kind(
        "unix_listener", "accept unix", false, "unix_listener::accept"
    );

unix_listener unix_listener::from_fd(unique_fd&& fd) {
    detail::unique_core core(new detail::listener_core(kind_));
    core->add(posix_socket::adopt(
        fd,
        {.operation = "unix_listener::from_fd", .is_unix_domain = true, .listens = true}
    ));
    return unix_listener(*core.release());
}

unix_address unix_listener::local_address() const {
    if (!core())
        throw closed_resource_error(
            "local_address of unix_listener: the listener is closed, or was moved from"
        );
    return posix_socket::require_local_unix_address(
        core()->sockets().front()->target->fd
    );
}

int unix_listener::attribute(socket_attribute::raw_socket) const noexcept {
    return core() ? core()->sockets().front()->target->fd : -1;
}

task<unix_listener>
create_unix_listener(unix_address at, create_unix_listener_options options) {
    co_await detail::begin_step();
    check(at, options);
    detail::unique_core core(new detail::listener_core(unix_listener::kind_));
    unique_fd fd = posix_socket::open_unix_stream();
    posix_socket::bound_file file = posix_socket::bind_unix(fd.get(), at, options.mode);
    try {
        if (const int error = posix_socket::listen(fd.get(), options.backlog))
            throw os_error(error, "listen unix", to_string(at));
        core->add(std::move(fd));
    } catch (...) {
        file.remove();
        throw;
    }
    if (options.unlink_on_close)
        core->remove_later(std::move(file));
    co_return unix_listener(*core.release());
}

}  // namespace anyio
