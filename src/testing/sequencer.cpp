// SPDX-License-Identifier: MIT
#include <anyio/testing/sequencer.hpp>

#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>

namespace anyio::testing {

void sequencer::next() noexcept {
    ++turn_;
    const auto at = waiting_.find(turn_);
    taken_ = at != waiting_.end();
    if (!taken_)
        return;
    detail::turn_operation& woken = *at->second;
    waiting_.erase(at);
    lowlevel::reschedule(*woken.task);
}

void sequencer::break_all() noexcept {
    broken_ = true;
    for (const auto& [number, waiting] : waiting_)
        lowlevel::reschedule(*waiting->task);
    waiting_.clear();
}

namespace detail {

constinit const lowlevel::wait_kind turn_operation::kind_{
    &aborted, "sequencer", nullptr
};

bool turn_operation::try_complete() {
    if (of_->broken_)
        return true;
    if (number_ == of_->turn_ && !of_->taken_) {
        of_->taken_ = true;
        return true;
    }
    const bool is_new =
        number_ > of_->turn_ && of_->waiting_.try_emplace(number_, this).second;
    if (!is_new)
        throw usage_error(describe(
            "sequencer: number ", number_, " was used before; each has one turn"
        ));
    return false;
}

sequencer_turn turn_operation::await_resume() {
    if (of_->broken_)
        throw broken_resource_error(
            "sequencer: a task that waited for its turn was cancelled"
        );
    return sequencer_turn(*of_);
}

lowlevel::abort_result turn_operation::aborted(lowlevel::wait_record& record) noexcept {
    auto& self = static_cast<turn_operation&>(record);
    self.of_->waiting_.erase(self.number_);
    self.of_->break_all();
    return lowlevel::abort_result::done;
}

}  // namespace detail

}  // namespace anyio::testing
