// SPDX-License-Identifier: MIT
#include <anyio/synchronization/future.hpp>

#include <anyio/base/cause.hpp>
#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>

namespace anyio::detail {

namespace {

constexpr lowlevel::wait_kind wait_kind =
    lowlevel::park_operation::kind_named("future::wait");

}  // namespace

std::string future_core::subject() const {
    return name_.empty() ? "future" : describe("future \"", name_, '"');
}

lowlevel::park_operation future_core::wait() noexcept {
    return {waiters_, wait_kind, status_ != future_status::pending};
}

void future_core::require_pending() const {
    if (status_ == future_status::pending)
        return;
    if (status_ == future_status::cancelled)
        throw future_cancelled(
            describe("set ", subject(), ": it was cancelled, so nobody waits for it")
        );
    throw future_already_finished(describe(
        "set ",
        subject(),
        status_ == future_status::finished ? ": it has a value already"
                                           : ": it has an error already"
    ));
}

void future_core::finish(future_status how) noexcept {
    status_ = how;
    waiters_.unpark(lowlevel::parking_lot::all);
}

void future_core::fail(std::exception_ptr error) {
    if (!error)
        throw usage_error(describe("set ", subject(), ": the exception is null"));
    require_pending();
    error_ = std::move(error);
    finish(future_status::failed);
}

void future_core::check() const {
    switch (status_) {
    case future_status::finished:
        return;
    case future_status::pending:
        throw future_not_finished(
            describe(subject(), ": has no result yet; co_await it")
        );
    case future_status::cancelled:
        throw future_cancelled(describe(subject(), ": was cancelled"));
    case future_status::failed:
        throw_caused(
            future_failed(describe(subject(), ": failed: ", describe_exception(error_))
            ),
            error_
        );
    }
}

std::exception_ptr future_core::exception() const {
    if (status_ == future_status::failed)
        return error_;
    check();
    return nullptr;
}

}  // namespace anyio::detail
