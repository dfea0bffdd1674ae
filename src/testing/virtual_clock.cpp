// SPDX-License-Identifier: MIT
#include <anyio/testing/virtual_clock.hpp>

#include <anyio/base/errors.hpp>
#include <anyio/lowlevel/loop_state.hpp>

namespace anyio::testing {

bool virtual_clock::jump(time_point next) noexcept {
    if (!autojump_)
        return false;
    if (next > now_)
        now_ = next;
    return true;
}

void virtual_clock::advance(delay by) {
    if (by.get() < duration::zero())
        throw usage_error("virtual_clock::advance: time does not go back");
    now_ = after(now_, by);
    if (lowlevel::this_loop)
        (void)lowlevel::refresh_time(*lowlevel::this_loop);
}

}  // namespace anyio::testing
