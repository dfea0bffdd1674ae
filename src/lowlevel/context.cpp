// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/task_extra.hpp>

namespace anyio::lowlevel {

void retain(context*) noexcept {}
void release(context*) noexcept {}

}  // namespace anyio::lowlevel
