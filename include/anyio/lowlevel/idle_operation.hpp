// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// idle_operation: waits until every other task is blocked.

#include <anyio/lowlevel/operation.hpp>

namespace anyio::lowlevel {

/// See wait_all_tasks_blocked().
class [[nodiscard]] idle_operation final : public operation<idle_operation> {
public:
    idle_operation() noexcept : operation(kind_) {}

    [[nodiscard]] bool try_complete() const noexcept { return false; }

    void start() noexcept;

    void await_resume() const noexcept {}

private:
    static abort_result abort(wait_record& record) noexcept;
    static const wait_kind kind_;
};

}  // namespace anyio::lowlevel
