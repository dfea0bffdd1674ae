// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/run_var.hpp>

#include "scheduler.hpp"

namespace anyio::lowlevel {

std::shared_ptr<void>& run_variable(const void* key) {
    return scheduler::of(require_loop("run_var")).variables()[key];
}

}  // namespace anyio::lowlevel
