// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/clock.hpp>

#include <ctime>

namespace anyio::lowlevel {

time_point system_clock::now() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return time_point(duration(std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec));
}

}  // namespace anyio::lowlevel
