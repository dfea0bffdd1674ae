// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// possession: what belongs to a task and must hear if the task ends without having given
/// it back, such as a lock.

#include <anyio/lowlevel/task_state.hpp>

namespace anyio::lowlevel {

/// Something that one task at a time has. It costs four stores to take and three to drop,
/// and what a task still has when it ends is found without a search.
///
/// @threads  loop
/// @anyio    trio.lowlevel.add_parking_lot_breaker
class possession {
public:
    possession(const possession&) = delete;  // the loop's lists hold its address
    possession& operator=(const possession&) = delete;

    /// Null if nobody has it. A task that is named here has not ended.
    [[nodiscard]] task_state* owner() const noexcept { return owner_; }

    /// For the end of a task: drops what it still has, and tells each.
    static void abandon_all(task_state& ended) noexcept;

    /// Makes `to`, which is empty, the beginning of the list that begins at `from`.
    static void move_list(possession*& from, possession*& to) noexcept;

protected:
    /// Called, once it has been dropped, when the owner has ended with it. The frames of
    /// the task are gone; lowlevel::task_name still knows it.
    using abandoned_function = void (*)(possession&, const task_state& ended) noexcept;

    explicit possession(abandoned_function abandoned) noexcept
        : abandoned_(abandoned) {}

    ~possession() {
        if (owner_)
            drop();
    }

    /// Gives it to `task`. Nobody has it.
    void take(task_state& task) noexcept {
        possession*& first = list_of(task);
        owner_ = &task;
        task.set(task_is_watched);
        next_ = first;
        if (next_)
            next_->link_ = &next_;
        link_ = &first;
        first = this;
    }

    /// Takes it from its owner.
    void drop() noexcept {
        owner_ = nullptr;
        *link_ = next_;
        if (next_)
            next_->link_ = link_;
    }

private:
    [[nodiscard]] static possession*& list_of(task_state& task) noexcept {
        if (task_extra* const extra = task.extra()) [[unlikely]]
            return list_of(*extra);
        return task.rare;
    }

    [[nodiscard]] static possession*& list_of(task_extra& extra) noexcept;

    task_state* owner_ = nullptr;
    possession* next_ = nullptr;   // in the owner's list; the rest only if owned
    possession** link_ = nullptr;  // what points here
    abandoned_function abandoned_;
};

}  // namespace anyio::lowlevel
