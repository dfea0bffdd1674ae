// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/task_extra.hpp>

namespace anyio::lowlevel {

task_extra& task_extra::of(task_state& task) {
    if (!task.extra)
        task.extra = new task_extra;
    return *task.extra;
}

void task_extra::destroy(task_extra* extra) noexcept {
    if (!extra)
        return;
    if (extra->variables)
        release(extra->variables);
    delete extra;
}

}  // namespace anyio::lowlevel
