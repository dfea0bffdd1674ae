// SPDX-License-Identifier: MIT
#include "listener_core.hpp"

#include <anyio/base/errors.hpp>
#include <anyio/networking/socket_listener.hpp>
#include "../lowlevel/scheduler.hpp"
#include "../lowlevel/task_report.hpp"

#include <cerrno>
#include <cstdio>

namespace anyio::detail {

// --- the sockets ------------------------------------------------------------------------

listener_core::~listener_core() {
    for (const auto& socket : sockets_)
        unique_fd(socket->ready).reset();
}

void listener_core::add(unique_fd fd) {
    backends::descriptor& target =
        lowlevel::scheduler::of(*lowlevel::this_loop).backend().attach(fd.get());
    static_cast<void>(fd.release());
    add(target);
}

void listener_core::add(backends::descriptor& target) {
    try {
        sockets_.reserve(sockets_.size() + 1);
        auto made = std::make_unique<listening_socket>();
        made->listener = this;
        if (kind_->is_ip)
            made->local = posix_socket::require_local_address(target.fd);
        made->where =
            kind_->is_ip
                ? to_string(made->local)
                : to_string(posix_socket::require_local_unix_address(target.fd));
        made->accepts = posix_socket::kind_of_stream(target.fd);
        made->code = backends::request_code::accept;
        made->completed = &on_completed;
        made->target = &target;
        sockets_.push_back(std::move(made));
    } catch (...) {
        target.owner->close(target);
        throw;
    }
}

void listener_core::close() noexcept {
    stage_ = stage::closing;
    file_.remove();  // first, so that no name is left that nobody answers at
    if (accept_core* const waiter = forget_waiter()) {
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
    std::string text = anyio::describe(kind_->name, ' ', sockets_.front()->where);
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

bool listener_core::begin(accept_core& waiter) {
    check_may_begin();
    waiter_ = &waiter;
    if (waiter.limit_ && waiter.limit_->is_reached()) {
        waiter.limit_->held_back_ = this;
        return false;
    }
    return begin_on_all();
}

void connection_limit::leave() noexcept {
    --now_;
    if (listener_core* const waits = std::exchange(held_back_, nullptr))
        waits->go_on();
}

void listener_core::go_on() noexcept {
    lowlevel::task_state& task = *waiter_->task;
    if (begin_on_all())
        reschedule(task);
}

bool listener_core::begin_on_all() noexcept {
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

bool listener_core::begin_on(listening_socket& socket) noexcept {
    passed_over_ = 0;
    if (socket.ready >= 0) {
        waiter_->fd_ = std::exchange(socket.ready, -1);
        waiter_->fd_kind_ = socket.accepts;
        if (kind_->is_ip)
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
    socket.data = kind_->is_ip ? socket.peer.data : nullptr;
    socket.size = kind_->is_ip ? posix_socket::native_address::room : 0;
    socket.closed = false;
    socket.pending = !socket.target->owner->submit(socket);
    return !socket.pending;
}

accept_core* listener_core::forget_waiter() noexcept {
    accept_core* const waiter = std::exchange(waiter_, nullptr);
    if (waiter && waiter->limit_)
        waiter->limit_->held_back_ = nullptr;
    return waiter;
}

void listener_core::stop() noexcept {
    static_cast<void>(forget_waiter());
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
        if (error == ECANCELED || (posix_socket::concerns_one_connection(error) &&
                                   ++passed_over_ <= most_passed_over))
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
    waiter_->fd_kind_ = socket.accepts;
    if (kind_->is_ip)
        waiter_->remote_ = socket.size != 0 ? posix_socket::from_native(socket.peer)
                                            : posix_socket::remote_address(fd);
    return true;
}

void listener_core::deliver_error(int error, const listening_socket& socket) noexcept {
    try {
        waiter_->error_ =
            std::make_exception_ptr(os_error(error, kind_->accept, socket.where));
    } catch (const std::bad_alloc&) {
        waiter_->error_ = std::current_exception();
    }
}

void listener_core::on_completed(backends::request& r) noexcept {
    auto& socket = static_cast<listening_socket&>(r);
    listener_core& self = *socket.listener;
    self.passed_over_ = 0;
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

accept_core::~accept_core() {
    unique_fd(fd_).reset();
}

bool accept_core::try_complete() {
    if (!listener_)
        throw closed_resource_error(anyio::describe(
            "accept on ", kind_->name, ": the listener is closed, or was moved from"
        ));
    return listener_->begin(*this);
}

backends::descriptor& accept_core::take() {
    if (error_)
        std::rethrow_exception(std::move(error_));
    auto& backend = lowlevel::scheduler::of(*lowlevel::this_loop).backend();
    backends::descriptor& target = backend.attach(fd_, fd_kind_);
    fd_ = -1;
    return target;
}

lowlevel::abort_result accept_core::abort(lowlevel::wait_record& record) noexcept {
    static_cast<accept_core&>(record).listener_->stop();
    return lowlevel::abort_result::done;
}

void accept_core::describe(const lowlevel::wait_record& record, std::string& out) {
    const auto& self = static_cast<const accept_core&>(record);
    out += self.listener_->describe();
    if (self.limit_ && self.limit_->is_reached())
        out += anyio::describe(", which serves ", self.limit_->most(), ", its limit");
}

// --- serving ----------------------------------------------------------------------------

std::shared_ptr<connection_limit>
make_limit(serve_options options, const listener_kind& kind) {
    if (options.max_connections == serve_options::unlimited)
        return nullptr;
    if (options.max_connections == 0)
        throw usage_error(anyio::describe(
            "serve on ", kind.name, ": max_connections is 0; nobody would be served"
        ));
    return std::make_shared<connection_limit>(options.max_connections);
}

// On stderr, since the alternative is a server that is silent for no visible reason.
bool passes_by_itself(listener_core* core, const os_error& error) {
    // A failure within this time after another belongs to it.
    constexpr duration burst = std::chrono::seconds(10);
    if (!core || !posix_socket::may_pass(error.code().value()))
        return false;
    const time_point now = lowlevel::current_loop_time(*lowlevel::this_loop);
    if (now >= core->quiet_until)
        std::fprintf(stderr, "anyio: %s; trying again every 100 ms\n", error.what());
    core->quiet_until = after(now, burst);
    return true;
}

void close_listener(listener_core& core) noexcept {
    core.close();
}

}  // namespace anyio::detail
