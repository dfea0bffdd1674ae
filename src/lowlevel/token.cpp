// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/token.hpp>

#include <anyio/base/errors.hpp>
#include "scheduler.hpp"

namespace anyio::lowlevel {

void event_loop_token::run_sync_soon(unique_function<void()> function) const {
    if (!inbox_)
        throw usage_error("event_loop_token::run_sync_soon: the token is empty");
    if (!function)
        throw usage_error("event_loop_token::run_sync_soon: the function is empty");
    if (!inbox_->post(std::move(function)))
        throw run_finished_error(
            "event_loop_token::run_sync_soon: the run has ended; nothing will call this"
        );
}

event_loop_token current_token() {
    return scheduler::of(require_loop("current_token")).token();
}

}  // namespace anyio::lowlevel
