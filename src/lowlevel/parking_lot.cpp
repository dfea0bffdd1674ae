// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/parking_lot.hpp>

#include <anyio/base/assert.hpp>

#include <cstdlib>

namespace anyio::lowlevel {

constinit const wait_kind parking_lot::park_kind_ =
    park_operation::kind_named("parking_lot::park");

void park_operation::suspend_slowly(loop_state& loop, frame_link* leaf) noexcept {
    if (cancelled(*loop.current))
        return unwind_now(loop, leaf);
    if (!has_lot())
        return budget_spent(loop, leaf);
    park(loop, leaf, *this);
    enqueue();
}

void parking_lot::destroyed_with_waiters() const noexcept {
    ANYIO_EXPECTS(
        !first_,
        "destroyed while ",
        size(),
        size() == 1 ? " task was" : " tasks were",
        " waiting in it; let what they wait for outlive them: declare it outside the "
        "block, or pass it to with() as state"
    );
    std::abort();  // not reached: a lot without waiters is not reported
}

std::size_t parking_lot::size() const noexcept {
    std::size_t count = 0;
    for (const parked_wait* waiting = first_; waiting; waiting = waiting->next_)
        ++count;
    return count;
}

std::size_t parking_lot::repark(parking_lot& other, std::size_t count) noexcept {
    std::size_t moved = 0;
    for (; first_ && moved < count; ++moved) {
        repark_one(*first_, other);
    }
    return moved;
}

abort_result parked_wait::leave_lot(wait_record& record) noexcept {
    auto& self = static_cast<parked_wait&>(record);
    self.lot_->remove(self);
    return abort_result::done;
}

}  // namespace anyio::lowlevel
