// SPDX-License-Identifier: MIT
#include <anyio/tasks/detail/group_core.hpp>

#include <anyio/base/assert.hpp>
#include <anyio/base/describe.hpp>
#include <anyio/base/errors.hpp>
#include <anyio/base/exception_group.hpp>
#include "../lowlevel/scheduler.hpp"

#include <new>
#include <vector>

namespace anyio::detail {

struct failure_list {
    std::vector<exception_group::member> members;
};

namespace {

lowlevel::cancel_status* scope_of(lowlevel::block& self) noexcept {
    return &static_cast<group_block&>(self).core->own_scope().status();
}

// One error stands for all of them if there is no memory for a group.
std::exception_ptr group_of(failure_list& failures) noexcept {
    std::exception_ptr first = failures.members.front().error;
    try {
        return std::make_exception_ptr(exception_group(
            "unhandled errors in a task group", std::move(failures.members)
        ));
    } catch (const std::bad_alloc&) {
        return first;
    }
}

// Groups nest thousands deep, and an error passes through each of them.
std::exception_ptr first_leaf(std::exception_ptr error) {
    for (int depth = 0; depth < 32; ++depth) {
        const auto* group = caught_as<exception_group>(error);
        if (!group)
            break;
        error = std::exception_ptr(group->members().front().error);
    }
    return error;
}

/// Why the others are cancelled: which task failed, and of what.
std::string reason_of(const exception_group::member& failed, bool is_body) {
    constexpr std::size_t longest = 400;
    std::string what = describe_exception(first_leaf(failed.error));
    if (what.size() > longest) {
        what.resize(longest);
        what += "...";
    }
    return is_body ? describe("the body of the task group failed: ", what)
                   : describe("task \"", failed.task, "\" failed: ", what);
}

lowlevel::leave_answer
leave_group(lowlevel::managed_block& self, lowlevel::loop_state& loop) noexcept {
    return static_cast<group_block&>(self).core->leave(self, loop);
}

}  // namespace

constinit const lowlevel::managed_block_kind group_block::kind{
    "task group", &scope_of, &leave_group
};

constinit const lowlevel::wait_kind group_core::join_kind_{
    &join_goes_on, "task group", &describe_join, true
};

group_core::group_core() noexcept : join_(join_kind_) {
    child_ended = &a_child_ended;
}

group_core::~group_core() {
    ANYIO_EXPECTS(
        empty(),
        "task_group: destroyed while ",
        count(),
        " of its tasks were running; use a task group only through "
        "with(create_task_group(), ...)"
    );
    delete failures_;
}

void group_core::throw_not_open(const char* operation) const {
    throw usage_error(describe(
        operation,
        stage_ == stage::unused
            ? ": the block of this task group has not begun; use it inside "
              "with(create_task_group(), ...)"
            : ": the block of this task group has ended, so nothing would wait for the "
              "task; start it inside the block"
    ));
}

void group_core::open(lowlevel::loop_state& loop) {
    if (stage_ != stage::unused)
        throw usage_error(
            "with task_group: it has served a block already; call create_task_group() again"
        );
    lowlevel::cancel_status& status = scope_.status();
    status.enter(loop, *loop.current);
    status.set_group(this);
    scope = &status;
    host = loop.current;
    stage_ = stage::open;
}

void group_core::fail(std::exception_ptr&& error, lowlevel::task_state& task) noexcept {
    std::string reason = {};
    std::source_location where;
    try {
        auto& loop = lowlevel::scheduler::of(*lowlevel::this_loop);
        exception_group::member member = loop.story(error, task);
        if (!failures_)
            failures_ = new failure_list;
        failures_->members.push_back(std::move(member));
        const exception_group::member& listed = failures_->members.back();
        error = nullptr;
        if (!listed.trace.empty())
            where = listed.trace.front();
        if (!scope_.status().has(lowlevel::scope_cancel_called))
            reason = reason_of(listed, &task == host);
    } catch (const std::bad_alloc&) {
        if (error && !unlisted_)
            unlisted_ = std::move(error);
    }
    constexpr std::string_view unknown = "a task of the group failed";
    scope_.cancel(reason.empty() ? unknown : std::string_view(reason), where);
}

void group_core::a_child_ended(
    lowlevel::group_state& group,
    lowlevel::task_state& task,
    lowlevel::task_end end,
    std::exception_ptr&& error
) noexcept {
    auto& self = static_cast<group_core&>(group);
    if (end == lowlevel::task_end::error)
        self.fail(std::move(error), task);
    self.wake_if_complete();
}

void group_core::expected_child_has_come() noexcept {
    --expected_;
    wake_if_complete();
}

void group_core::wake_if_complete() noexcept {
    if (!joining_ || !empty() || expected_ != 0)
        return;
    joining_ = nullptr;
    lowlevel::reschedule(*host);
}

lowlevel::leave_answer
group_core::leave(lowlevel::managed_block& block, lowlevel::loop_state& loop) noexcept {
    lowlevel::body_outcome& outcome = *block.outcome;
    if (stage_ == stage::open) {
        stage_ = stage::joining;
        if (outcome.state == lowlevel::body_state::error)
            fail(std::exchange(outcome.owner->error, nullptr), *host);
        else if (outcome.state == lowlevel::body_state::cancelled)
            saw_cancel = true;
    }
    if (!empty() || expected_ != 0) {
        joining_ = &block;
        // The locals of the body are gone; its frame goes too, so that a sanitizer sees
        // children that still use them.
        if (outcome.owner->child) {
            loop.dropped = outcome.owner;
            loop.after |= lowlevel::after_step_drop;
        }
        lowlevel::park(loop, &block.link, join_);
        return lowlevel::leave_answer::wait;
    }
    stage_ = stage::closed;
    scope_.status().leave(loop);
    settle(outcome);
    return lowlevel::leave_answer::done;
}

// Errors first; then the cancellation, which ends here if it is the group's own.
void group_core::settle(lowlevel::body_outcome& outcome) noexcept {
    using lowlevel::body_state;
    lowlevel::cancel_status& status = scope_.status();
    if (failures_ || unlisted_) {
        outcome.state = body_state::error;
        outcome.owner->error = unlisted_ ? std::move(unlisted_) : group_of(*failures_);
    } else if (saw_cancel) {
        if (status.absorb()) {
            if (outcome.state == body_state::cancelled)
                outcome.state = body_state::cut;
        } else if (status.cancelled_from_outside()) {
            outcome.state = body_state::cancelled;
        }
    }
}

// Children are cancelled through the scopes; the group waits for them all the same.
lowlevel::abort_result group_core::join_goes_on(lowlevel::wait_record&) noexcept {
    return lowlevel::abort_result::pending;
}

void group_core::describe_join(const lowlevel::wait_record& record, std::string& out) {
    for (const auto* scope = record.task->scope; scope; scope = scope->parent()) {
        if (!scope->group())
            continue;
        const std::size_t count = scope->group()->count();
        out += describe("for ", count, count == 1 ? " task to end" : " tasks to end");
        return;
    }
}

}  // namespace anyio::detail
