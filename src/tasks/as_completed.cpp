// SPDX-License-Identifier: MIT
#include <anyio/tasks/as_completed.hpp>

#include <anyio/base/errors.hpp>

#include <utility>

namespace anyio::detail {

namespace {

lowlevel::cancel_status* scope_of(lowlevel::block& self) noexcept {
    return &static_cast<group_block&>(self).core->own_scope().status();
}

lowlevel::leave_answer
leave_completions(lowlevel::managed_block& block, lowlevel::loop_state& loop) noexcept {
    auto& self = static_cast<completion_block&>(block);
    lowlevel::body_outcome& outcome = *self.outcome;
    if (self.not_started && outcome.state != lowlevel::body_state::error) {
        outcome.owner->error = std::exchange(self.not_started, nullptr);
        outcome.state = lowlevel::body_state::error;
    }
    if (!self.core->empty())
        self.core->own_scope().cancel("the body of as_completed has ended");
    return self.core->leave(self, loop);
}

}  // namespace

constinit const lowlevel::managed_block_kind completion_block::completion_kind{
    "as_completed", &scope_of, &leave_completions
};

void throw_nothing_to_complete() {
    throw usage_error("as_completed: there are no tasks, so none will ever be completed"
    );
}

next_completion::next_completion(completion_queue& queue) noexcept
    : parked_operation(queue.waiters_, kind_), queue_(&queue) {}

bool next_completion::try_complete() noexcept {
    given_ = queue_->pop();
    return given_ || queue_->running_ == 0;
}

// What nobody has asked for.
completion_queue::~completion_queue() {
    while (completion* const left = pop())
        left->state->release();
}

completion* completion_queue::pop() noexcept {
    completion* const popped = first_;
    if (popped)
        first_ = popped->next;
    return popped;
}

void completion_queue::ended(completion& task) noexcept {
    --running_;
    if (task.state->end != lowlevel::task_end::value) {
        // Its record goes with the task.
        task.state->task->clear(lowlevel::task_handled);
    } else if (!waiters_.empty()) {
        auto& asking = static_cast<next_completion&>(*waiters_.front());
        asking.given_ = &task;
        waiters_.unpark();
    } else {
        (first_ ? last_->next : first_) = &task;
        last_ = &task;
    }
    if (running_ == 0)
        waiters_.unpark(lowlevel::parking_lot::all);
}

}  // namespace anyio::detail
