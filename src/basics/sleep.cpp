// SPDX-License-Identifier: MIT
#include <anyio/basics/sleep.hpp>

#include <anyio/basics/current_time.hpp>

namespace anyio {

lowlevel::sleep_operation sleep(delay length) {
    auto& loop = lowlevel::require_loop("sleep");
    return lowlevel::sleep_operation(
        length.get() <= duration::zero() ? time_point::min()
                                         : after(lowlevel::refresh_time(loop), length)
    );
}

time_point current_time() {
    return lowlevel::refresh_time(lowlevel::require_loop("current_time"));
}

}  // namespace anyio
