// SPDX-License-Identifier: MIT
// EXPECT: start_soon\(f, args...\) copies its arguments, and one of them, or f, can only be moved: pass std::move\(x\)
#include <anyio/tasks/task_group.hpp>

#include <memory>

anyio::task<> take(std::unique_ptr<int> owned);

void misuse(anyio::task_group& tg) {
    auto owned = std::make_unique<int>(3);
    tg.create_task(take, owned);
}
