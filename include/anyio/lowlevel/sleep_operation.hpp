// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// sleep_operation: waits for a deadline. Users call sleep() and its kin.

#include <anyio/lowlevel/checkpoint.hpp>

#include <string>

namespace anyio::lowlevel {

/// Wakes its task when its deadline has come.
class [[nodiscard("sleep() does nothing until you co_await it")]] sleep_operation final
    : public operation<sleep_operation>,
      public timer {
public:
    explicit sleep_operation(time_point deadline) noexcept
        : operation(kind_), timer(timer_kind::sleep), deadline_(deadline) {}

    /// @throws std::bad_alloc  if there is no room for the deadline
    [[nodiscard]] bool await_ready() const {
        if (deadline_ != never)
            this_loop->deadlines.make_room();  // start() must not fail
        return false;
    }

    void await_suspend(awaiting_frame handle) noexcept {
        if (deadline_ <= this_loop->now)
            return checkpoint().await_suspend(handle);
        operation::await_suspend(handle);
    }

    [[nodiscard]] bool try_complete() const noexcept { return false; }

    void start() noexcept {
        if (deadline_ != never)
            this_loop->deadlines.arm(*this, deadline_);
    }

    void await_resume() const noexcept {}

private:
    static abort_result abort(wait_record& record) noexcept;
    static void describe(const wait_record& record, std::string& out);
    static const wait_kind kind_;

    time_point deadline_;
};

}  // namespace anyio::lowlevel
