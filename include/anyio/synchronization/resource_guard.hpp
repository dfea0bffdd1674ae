// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// resource_guard: two tasks in one place at a time is a bug; says which.
/// Manual: docs/manual/synchronization.md#resource-guards

#include <cstdint>
#include <string_view>
#include <utility>

namespace anyio {

class resource_guard;

/// As long as this lives, nobody else may enter; it may be moved.
class [[nodiscard("others may enter when this goes: keep it in a variable"
)]] resource_use {
public:
    resource_use(resource_use&& other) noexcept
        : guard_(std::exchange(other.guard_, nullptr)) {}

    resource_use& operator=(resource_use&& other) noexcept {
        resource_use taken(std::move(other));  // what this was goes with it
        std::swap(guard_, taken.guard_);
        return *this;
    }

    ~resource_use() { release(); }

    /// Leaves now.
    void release() noexcept;

private:
    friend resource_guard;

    explicit resource_use(resource_guard& guard) noexcept : guard_(&guard) {}

    resource_guard* guard_;
};

/// Refuses the second of two tasks that use one thing at the same time, where waiting for
/// each other would hide a mistake: two readers of one stream, say.
///
/// ```
/// const auto reading = reader_guard.enter("receive on port 80");
/// ```
///
/// @threads  loop
/// @anyio    anyio.ResourceGuard
class resource_guard {
public:
    /// @param action  what the tasks do, for the error: "receiving", "sending to". Not
    ///                copied: a literal
    explicit resource_guard(std::string_view action = "using") noexcept
        : action_(action) {}

    ~resource_guard() {
        if (inside_) [[unlikely]]
            destroyed_in_use();
    }

    resource_guard(const resource_guard&) = delete;  // resource_use holds its address
    resource_guard& operator=(const resource_guard&) = delete;

    /// @param where  operation and subject, for the error
    /// @throws busy_resource_error  if somebody is inside; it names both tasks
    /// @checkpoint    never
    /// @cancellation  none
    /// @allocates     nothing
    [[nodiscard]] resource_use enter(std::string_view where = "resource_guard::enter") {
        if (inside_) [[unlikely]]
            throw_busy(where);
        note_task();
        inside_ = true;
        return resource_use(*this);
    }

    /// Whether somebody is inside.
    [[nodiscard]] bool in_use() const noexcept { return inside_; }

private:
    friend resource_use;

    [[noreturn]] void throw_busy(std::string_view where) const;
    [[noreturn]] void destroyed_in_use() const noexcept;
    void note_task() noexcept;

    std::string_view action_;
    std::uint64_t task_id_ = 0;  // of whoever came in last; 0: no task
    bool inside_ = false;
};

inline void resource_use::release() noexcept {
    if (guard_)
        std::exchange(guard_, nullptr)->inside_ = false;
}

}  // namespace anyio
