// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/context.hpp>

#include <anyio/lowlevel/task_extra.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace anyio::lowlevel {

// A vector, searched from the front: programs have few variables.
struct context {
    struct entry {
        const void* key;
        std::shared_ptr<void> value;
    };

    std::size_t tasks = 1;  // that share this
    std::vector<entry> entries;
};

void retain(context* variables) noexcept {
    ++variables->tasks;
}

void release(context* variables) noexcept {
    if (--variables->tasks == 0)
        delete variables;
}

std::shared_ptr<void> context_value(const task_state& task, const void* key) noexcept {
    const task_extra* const extra = task.extra();
    if (!extra || !extra->variables)
        return nullptr;
    for (const auto& entry : extra->variables->entries)
        if (entry.key == key)
            return entry.value;
    return nullptr;
}

void set_context_value(task_state& task, const void* key, std::shared_ptr<void> value) {
    task_extra& extra = task_extra::of(task);
    auto changed = std::make_unique<context>();
    if (extra.variables)
        changed->entries = extra.variables->entries;
    std::erase_if(changed->entries, [key](const auto& entry) {
        return entry.key == key;
    });
    if (value)
        changed->entries.push_back({key, std::move(value)});
    // Values may ask for this variable when they go.
    if (context* const before = std::exchange(extra.variables, changed.release()))
        release(before);
}

void inherit_context(const task_state& spawner, task_state& child) {
    const task_extra* const extra = spawner.extra();
    context* const variables = extra ? extra->variables : nullptr;
    if (!variables)
        return;
    task_extra::of(child).variables = variables;
    retain(variables);
}

}  // namespace anyio::lowlevel
