// SPDX-License-Identifier: MIT
#include <anyio/networking/wait_readable.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/lowlevel/run_var.hpp>
#include "../lowlevel/scheduler.hpp"
#include "../lowlevel/task_report.hpp"

#include <cerrno>
#include <memory>
#include <unordered_map>

namespace anyio::detail {

/// A descriptor while somebody waits for it. It is registered only that long: when its
/// owner has closed it, the number may mean something else.
struct watched_descriptor {
    backends::descriptor* target = nullptr;
    std::size_t users = 0;

    using table = std::unordered_map<int, watched_descriptor>;

    // Their addresses stay: std::unordered_map has nodes.
    static table& all();
    static watched_descriptor& of(int fd);
    /// Every waiting task gets closed_resource_error.
    void close() noexcept;
    /// A user has gone.
    static void leave(int fd) noexcept;
};

namespace {

// What the loop has the table under.
constexpr char table_key = 0;

}  // namespace

watched_descriptor::table& watched_descriptor::all() {
    auto& slot = lowlevel::run_variable(&table_key);
    if (!slot)
        slot = std::make_shared<table>();
    return *static_cast<table*>(slot.get());
}

watched_descriptor& watched_descriptor::of(int fd) {
    table& known = all();
    watched_descriptor& watched = known[fd];
    if (!watched.target) {
        try {
            watched.target =
                &lowlevel::scheduler::of(*lowlevel::this_loop).backend().attach(fd);
        } catch (...) {
            if (watched.users == 0)
                known.erase(fd);
            throw;
        }
    }
    ++watched.users;
    return watched;
}

void watched_descriptor::close() noexcept {
    if (!target)
        return;
    for (backends::request* pending : {target->reader, target->writer}) {
        if (!pending)
            continue;
        auto& operation = static_cast<poll_operation&>(*pending);
        if (operation.task->has(lowlevel::task_abort_requested))
            continue;  // cancelled first, so that is how it ends
        try {
            operation.error_ = std::make_exception_ptr(closed_resource_error(
                operation.subject() +
                ": notify_closing() was called while this task waited"
            ));
        } catch (const std::bad_alloc&) {
            operation.error_ = std::current_exception();
        }
    }
    backends::descriptor& closing = *std::exchange(target, nullptr);
    static_cast<void>(closing.owner->release(closing));
}

void watched_descriptor::leave(int fd) noexcept {
    table& known = all();
    const auto found = known.find(fd);
    watched_descriptor& watched = found->second;
    if (--watched.users != 0)
        return;
    if (watched.target)
        static_cast<void>(watched.target->owner->release(*watched.target));
    known.erase(found);
}

constinit const lowlevel::wait_kind poll_operation::readable_kind_{
    &abort, "wait_readable", &describe
};
constinit const lowlevel::wait_kind poll_operation::writable_kind_{
    &abort, "wait_writable", &describe
};

poll_operation::poll_operation(int fd, backends::request_code what) noexcept
    : operation(
          what == backends::request_code::poll_readable ? readable_kind_
                                                        : writable_kind_
      ),
      fd_(fd) {
    code = what;
    completed = &on_completed;
}

poll_operation::~poll_operation() {
    if (watched_)
        watched_descriptor::leave(fd_);
}

std::string poll_operation::subject() const {
    return anyio::describe(kind->name, " fd ", fd_);
}

bool poll_operation::try_complete() {
    if (fd_ < 0)
        throw os_error(EBADF, kind->name, anyio::describe("fd ", fd_));
    watched_ = &watched_descriptor::of(fd_);
    target = watched_->target;
    if (backends::request* const other = is_read() ? target->reader : target->writer) {
        const auto& waiting = static_cast<const poll_operation&>(*other);
        throw busy_resource_error(
            is_read() ? "waiting to read" : "waiting to write",
            subject(),
            anyio::describe(
                ": \"",
                lowlevel::task_name(*waiting.task),
                "\" (this is \"",
                lowlevel::task_name(*lowlevel::this_loop->current),
                "\")"
            )
        );
    }
    return target->owner->submit(*this);
}

void poll_operation::await_resume() const {
    if (error_)
        std::rethrow_exception(error_);
    // EPERM: epoll has no regular files; they are always ready (epoll_ctl(2)).
    if (result < 0 && result != -EPERM)
        throw os_error(
            static_cast<int>(-result), kind->name, anyio::describe("fd ", fd_)
        );
}

void poll_operation::on_completed(backends::request& r) noexcept {
    auto& self = static_cast<poll_operation&>(r);
    if (self.result == -ECANCELED && !self.error_)
        reschedule_cancelled(*self.task);
    else
        reschedule(*self.task);
}

lowlevel::abort_result poll_operation::abort(lowlevel::wait_record& record) noexcept {
    auto& self = static_cast<poll_operation&>(record);
    if (self.error_)
        return lowlevel::abort_result::pending;  // closed: it is being ended already
    return self.target->owner->cancel(self) == backends::cancel_result::done
               ? lowlevel::abort_result::done
               : lowlevel::abort_result::pending;
}

void poll_operation::describe(const lowlevel::wait_record& record, std::string& out) {
    out += anyio::describe("fd ", static_cast<const poll_operation&>(record).fd_);
}

}  // namespace anyio::detail

namespace anyio {

void notify_closing(int fd) {
    auto& known = detail::watched_descriptor::all();
    const auto found = known.find(fd);
    if (found != known.end())
        found->second.close();
}

}  // namespace anyio
