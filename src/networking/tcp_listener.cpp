// SPDX-License-Identifier: MIT
#include <anyio/networking/tcp_listener.hpp>

#include <anyio/base/errors.hpp>
#include <anyio/basics/sleep.hpp>
#include "../lowlevel/scheduler.hpp"
#include "../lowlevel/task_report.hpp"
#include "listener_core.hpp"

#include <cerrno>
#include <cstdio>
#include <optional>

namespace anyio::detail {

// --- the sockets ------------------------------------------------------------------------

listener_core::~listener_core() {
    for (const auto& socket : sockets_)
        unique_fd(socket->ready).reset();
}

void listener_core::add(unique_fd fd) {
    auto made = std::make_unique<listening_socket>();
    sockets_.reserve(sockets_.size() + 1);
    auto& backend = lowlevel::scheduler::of(*lowlevel::this_loop).backend();
    made->listener = this;
    made->local = posix_socket::local_address(fd.get());
    made->code = backends::request_code::accept;
    made->completed = &on_completed;
    made->target = &backend.attach(fd.get());
    static_cast<void>(fd.release());
    sockets_.push_back(std::move(made));
}

void listener_core::close() noexcept {
    stage_ = stage::closing;
    if (accept_operation* const waiter = std::exchange(waiter_, nullptr)) {
        try {
            const auto* const closer = lowlevel::this_loop->current;
            waiter->error_ =
                std::make_exception_ptr(closed_resource_error(anyio::describe(
                    "accept on ",
                    describe(),
                    ": the listener was closed",
                    closer
                        ? anyio::describe(" by \"", lowlevel::task_name(*closer), '"')
                        : "",
                    " while this task waited"
                )));
        } catch (const std::bad_alloc&) {
            waiter->error_ = std::current_exception();
        }
        reschedule(*waiter->task);
    }
    for (const auto& socket : sockets_) {
        backends::descriptor& target = *socket->target;
        target.owner->close(target);
    }
    stage_ = stage::closed;
    go_if_done();
}

void listener_core::go_if_done() noexcept {
    for (const auto& socket : sockets_)
        if (socket->pending)
            return;
    delete this;
}

std::string listener_core::describe() const {
    std::string text = anyio::describe("tcp_listener ", sockets_.front()->local);
    if (sockets_.size() > 1)
        text += anyio::describe(" and ", sockets_.size() - 1, " more");
    return text;
}

// --- accepting --------------------------------------------------------------------------

void listener_core::check_may_begin() const {
    const auto& loop = *lowlevel::this_loop;
    if (sockets_.front()->target->owner !=
        &lowlevel::scheduler::of(*lowlevel::this_loop).backend())
        throw usage_error(anyio::describe(
            "accept on ",
            describe(),
            ": the listener belongs to another event loop, or to one that has ended"
        ));
    if (waiter_)
        throw busy_resource_error(
            "accepting",
            "accept on " + describe(),
            anyio::describe(
                ": \"",
                lowlevel::task_name(*waiter_->task),
                "\" (this is \"",
                lowlevel::task_name(*loop.current),
                "\"); give each listener one server"
            )
        );
}

bool listener_core::begin(accept_operation& waiter) {
    check_may_begin();
    waiter_ = &waiter;
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
        listening_socket& socket = *sockets_[(first_ + i) % sockets_.size()];
        if (begin_on(socket)) {
            first_ = (first_ + i + 1) % sockets_.size();
            stop();
            return true;
        }
    }
    return false;
}

bool listener_core::begin_on(listening_socket& socket) {
    if (socket.ready >= 0) {
        waiter_->fd_ = std::exchange(socket.ready, -1);
        waiter_->remote_ = posix_socket::from_native(socket.peer);
        return true;
    }
    if (socket.pending)
        return false;
    do {
        if (!submit(socket))
            return false;
    } while (!settle(socket));
    return true;
}

/// True: it is complete.
bool listener_core::submit(listening_socket& socket) noexcept {
    socket.data = socket.peer.data;
    socket.size = posix_socket::native_address::room;
    socket.closed = false;
    socket.pending = !socket.target->owner->submit(socket);
    return !socket.pending;
}

void listener_core::stop() noexcept {
    waiter_ = nullptr;
    for (const auto& socket : sockets_) {
        if (socket->pending &&
            socket->target->owner->cancel(*socket) == backends::cancel_result::done)
            socket->pending = false;
    }
}

/// Hands the result of `socket` to the waiter, if there is one; false: it says nothing,
/// so try again.
bool listener_core::settle(listening_socket& socket) noexcept {
    if (socket.result < 0) {
        const int error = static_cast<int>(-socket.result);
        if (error == ECANCELED || posix_socket::concerns_one_connection(error))
            return false;
        if (waiter_)
            deliver_error(error, socket);
        return true;
    }
    const int fd = static_cast<int>(socket.result);
    socket.peer.size = socket.size;
    if (!waiter_) {
        socket.ready = fd;
        return true;
    }
    waiter_->fd_ = fd;
    waiter_->remote_ = socket.size != 0 ? posix_socket::from_native(socket.peer)
                                        : posix_socket::remote_address(fd);
    return true;
}

void listener_core::deliver_error(int error, const listening_socket& socket) noexcept {
    try {
        waiter_->error_ = std::make_exception_ptr(
            os_error(error, "accept tcp", to_string(socket.local))
        );
    } catch (const std::bad_alloc&) {
        waiter_->error_ = std::current_exception();
    }
}

void listener_core::on_completed(backends::request& r) noexcept {
    auto& socket = static_cast<listening_socket&>(r);
    listener_core& self = *socket.listener;
    socket.pending = false;
    if (self.stage_ != stage::open) {
        if (r.result >= 0)
            unique_fd(static_cast<int>(r.result)).reset();
        if (self.stage_ == stage::closed)
            self.go_if_done();
        return;
    }
    while (!self.settle(socket))
        if (!self.waiter_ || !self.submit(socket))
            return;
    if (!self.waiter_)
        return;
    lowlevel::task_state& task = *self.waiter_->task;
    self.stop();
    reschedule(task);
}

// --- the operation ----------------------------------------------------------------------

constinit const lowlevel::wait_kind accept_operation::kind_{
    &abort, "tcp_listener::accept", &describe
};

accept_operation::accept_operation(listener_core* listener) noexcept
    : operation(kind_), listener_(listener) {}

accept_operation::~accept_operation() {
    unique_fd(fd_).reset();
}

bool accept_operation::try_complete() {
    if (!listener_)
        throw closed_resource_error(
            "accept on tcp_listener: the listener is closed, or was moved from"
        );
    return listener_->begin(*this);
}

socket_stream accept_operation::await_resume() {
    if (error_)
        std::rethrow_exception(std::move(error_));
    auto& backend = lowlevel::scheduler::of(*lowlevel::this_loop).backend();
    backends::descriptor& target = backend.attach(fd_);
    fd_ = -1;
    return {target, remote_};
}

lowlevel::abort_result accept_operation::abort(lowlevel::wait_record& record) noexcept {
    static_cast<accept_operation&>(record).listener_->stop();
    return lowlevel::abort_result::done;
}

void accept_operation::describe(const lowlevel::wait_record& record, std::string& out) {
    out += static_cast<const accept_operation&>(record).listener_->describe();
}

}  // namespace anyio::detail

namespace anyio {

namespace {

// As trio does: long enough for somebody to close something.
constexpr duration back_off = std::chrono::milliseconds(100);

// A shortage within this time after another belongs to it.
constexpr duration burst = std::chrono::seconds(10);

[[noreturn]] void throw_closed(const char* operation) {
    throw closed_resource_error(describe(
        operation, " of tcp_listener: the listener is closed, or was moved from"
    ));
}

/// On stderr, since the alternative is a server that is silent for no visible reason.
void report_shortage(detail::listener_core& core, const os_error& shortage) {
    const time_point now = lowlevel::current_loop_time(*lowlevel::this_loop);
    if (now >= core.quiet_until)
        std::fprintf(stderr, "anyio: %s; trying again every 100 ms\n", shortage.what());
    core.quiet_until = after(now, burst);
}

}  // namespace

void tcp_listener::close_now() noexcept {
    if (core_)
        std::exchange(core_, nullptr)->close();
}

task<socket_stream> tcp_listener::accept_patiently() {
    std::optional<socket_stream> client;
    while (!client) {
        try {
            socket_stream accepted = co_await accept();
            client.emplace(std::move(accepted));
        } catch (const os_error& error) {
            if (!posix_socket::is_shortage(error.code().value()) || !core_)
                throw;
            report_shortage(*core_, error);
        }
        if (!client)
            co_await sleep(back_off);
    }
    co_return std::move(*client);
}

std::uint16_t tcp_listener::local_port() const {
    if (!core_)
        throw_closed("local_port");
    return core_->sockets().front()->local.port();
}

std::vector<ip_endpoint> tcp_listener::local_addresses() const {
    if (!core_)
        throw_closed("local_addresses");
    std::vector<ip_endpoint> addresses;
    for (const auto& socket : core_->sockets())
        addresses.push_back(socket->local);
    return addresses;
}

}  // namespace anyio
