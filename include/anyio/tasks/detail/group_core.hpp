// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The part of a task group that does not depend on what it runs.

#include <anyio/cancellation/cancel_scope.hpp>
#include <anyio/lowlevel/managed_block.hpp>
#include <anyio/lowlevel/spawn.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>

namespace anyio::detail {

struct failure_list;

/// Children, failures and the scope of one group.
class group_core : public lowlevel::group_state {
public:
    group_core() noexcept;
    ~group_core();

    group_core(const group_core&) = delete;  // children hold its address
    group_core& operator=(const group_core&) = delete;

    /// @throws usage_error  unless the group's block is running
    void require_open(const char* operation) const {
        if (stage_ == stage::unused || stage_ == stage::closed) [[unlikely]]
            throw_not_open(operation);
    }

    /// Makes a child of a task whose first frame has been made.
    void adopt(
        lowlevel::task_state& task,
        lowlevel::frame_link& frame,
        lowlevel::frame_owner& owner
    ) {
        task.scope = scope;
        lowlevel::start_task(*lowlevel::this_loop, task, frame, owner);
        add(task);
    }

    /// A start() is under way, which keeps the group from ending.
    void expect_child() noexcept { ++expected_; }

    void expected_child_has_come() noexcept;

    /// Entry and exit of the block.
    void open(lowlevel::loop_state& loop);
    [[nodiscard]] lowlevel::leave_answer
    leave(lowlevel::managed_block& block, lowlevel::loop_state& loop) noexcept;

    [[nodiscard]] cancel_scope& own_scope() noexcept { return scope_; }

    /// adopt(), as an argument for spawn().
    [[nodiscard]] auto adopter() noexcept {
        return [this](
                   lowlevel::task_state& task,
                   lowlevel::frame_link& frame,
                   lowlevel::frame_owner& owner
               ) { adopt(task, frame, owner); };
    }

private:
    enum class stage : std::uint8_t {
        unused,
        open,
        joining,  ///< the body has ended; children may still start children
        closed,
    };

    [[noreturn]] void throw_not_open(const char* operation) const;
    void fail(std::exception_ptr&& error, lowlevel::task_state& task) noexcept;
    void settle(lowlevel::body_outcome& outcome) noexcept;
    static void a_child_ended(
        lowlevel::group_state& self,
        lowlevel::task_state& task,
        lowlevel::task_end end,
        std::exception_ptr&& error
    ) noexcept;
    void wake_if_complete() noexcept;

    cancel_scope scope_;
    failure_list* failures_ = nullptr;
    std::exception_ptr unlisted_;  ///< an error for which there was no memory
    lowlevel::managed_block* joining_ = nullptr;
    std::size_t expected_ = 0;
    stage stage_ = stage::unused;
    lowlevel::wait_record join_;

    static lowlevel::abort_result join_goes_on(lowlevel::wait_record&) noexcept;
    static void describe_join(const lowlevel::wait_record&, std::string&);
    static const lowlevel::wait_kind join_kind_;
};

struct group_block : lowlevel::managed_block {
    group_block(group_core& g, lowlevel::body_outcome& shared) noexcept
        : managed_block(kind, shared), core(&g) {}

    group_core* core;

    static const lowlevel::managed_block_kind kind;
};

}  // namespace anyio::detail
