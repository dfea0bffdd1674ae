// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/idle_operation.hpp>

#include "scheduler.hpp"

namespace anyio::lowlevel {

constinit const wait_kind idle_operation::kind_{
    &abort, "wait_all_tasks_blocked", nullptr
};

void idle_operation::start() noexcept {
    scheduler::of(*this_loop).add_idle_waiter(*this);
}

abort_result idle_operation::abort(wait_record& record) noexcept {
    scheduler::of(*this_loop).remove_idle_waiter(record);
    return abort_result::done;
}

}  // namespace anyio::lowlevel
