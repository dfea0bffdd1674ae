// SPDX-License-Identifier: MIT
// EXPECT: this type cannot be awaited in an anyio task
// EXPECT: your own operation made with lowlevel::wait_task_rescheduled
#include <anyio/basics/task.hpp>

anyio::task<> misuse() {
    co_await std::suspend_always();
}
