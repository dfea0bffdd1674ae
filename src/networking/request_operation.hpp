// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// request_operation: one request of the backend, awaited. For coroutines of the library;
/// streams have operations of their own.

#include <anyio/backends/backend.hpp>
#include <anyio/lowlevel/operation.hpp>

#include <cerrno>
#include <cstdint>

namespace anyio::detail {

/// Its target must not be closed by anybody else meanwhile.
class [[nodiscard]] request_operation : public lowlevel::operation<request_operation>,
                                        public backends::request {
public:
    request_operation(
        const lowlevel::wait_kind& waits,
        backends::request_code what,
        backends::descriptor& on
    ) noexcept
        : operation(waits) {
        code = what;
        target = &on;
        completed = &on_completed;
    }

    [[nodiscard]] bool try_complete() noexcept { return target->owner->submit(*this); }

    void start() const noexcept {}

    /// @returns  as request::result
    [[nodiscard]] std::int64_t await_resume() const noexcept { return result; }

    /// For wait_kinds.
    static lowlevel::abort_result abort(lowlevel::wait_record& record) noexcept {
        auto& self = static_cast<request_operation&>(record);
        return self.target->owner->cancel(self) == backends::cancel_result::done
                   ? lowlevel::abort_result::done
                   : lowlevel::abort_result::pending;
    }

private:
    static void on_completed(backends::request& r) noexcept {
        auto& self = static_cast<request_operation&>(r);
        if (self.result == -ECANCELED && !self.closed)
            reschedule_cancelled(*self.task);
        else
            reschedule(*self.task);
    }
};

}  // namespace anyio::detail
