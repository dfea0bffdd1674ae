// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// as_completed: results in the order in which tasks finish.
/// Manual: docs/manual/tasks.md#results

#include <anyio/tasks/task_group.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace anyio {

namespace detail {

class completion_queue;

/// Waits for the next task that has finished.
class [[nodiscard]] next_completion
    : public lowlevel::parked_operation<next_completion> {
public:
    explicit next_completion(completion_queue& queue) noexcept;

    [[nodiscard]] bool try_complete() noexcept;

protected:
    friend completion_queue;

    static constexpr lowlevel::wait_kind kind_{
        &leave_lot, "as_completed::next", nullptr
    };

    completion_queue* queue_;
    struct completion* given_ = nullptr;
};

/// One task of as_completed(), as a link of the queue once it has finished.
struct completion {
    handle_state* state = nullptr;
    completion_queue* queue = nullptr;
    completion* next = nullptr;
};

/// Tasks that have finished and not been asked for yet, and who asks.
class completion_queue {
public:
    completion_queue() noexcept = default;
    ~completion_queue();

    completion_queue(const completion_queue&) = delete;  // tasks hold its address
    completion_queue& operator=(const completion_queue&) = delete;

    /// A task is under way.
    void expect() noexcept { ++running_; }

    /// A task has ended. One that failed or was cancelled is not for those who ask: its
    /// group deals with it.
    void ended(completion& task) noexcept;

    /// Whether all have been asked for.
    [[nodiscard]] bool exhausted() const noexcept { return running_ == 0 && !first_; }

private:
    friend next_completion;

    [[nodiscard]] completion* pop() noexcept;

    lowlevel::parking_lot waiters_;  // of next_completion; empty unless first_ is null
    completion* first_ = nullptr;
    completion* last_ = nullptr;  // meaningless while first_ is null
    std::size_t running_ = 0;
};

/// What is kept with each task.
template <class T>
struct completion_state : typed_handle_state<T> {
    void finish(
        lowlevel::task_state& child,
        lowlevel::task_end& how,
        std::exception_ptr& failure
    ) noexcept {
        typed_handle_state<T>::finish(child, how, failure);
        if (link.queue)
            link.queue->ended(link);
    }

    completion link;
};

template <class T>
class [[nodiscard]] next_completed final : public next_completion {
public:
    using next_completion::next_completion;

    std::optional<task_handle<T>> await_resume() const noexcept {
        if (!given_)
            return std::nullopt;
        return task_handle<T>(static_cast<typed_handle_state<T>&>(*given_->state));
    }
};

[[noreturn]] void throw_nothing_to_complete();

/// The block of as_completed(): a task group's, which also ends what the body has left.
struct completion_block : group_block {
    completion_block(
        group_core& group, completion_queue& q, lowlevel::body_outcome& shared
    ) noexcept
        : group_block(group, shared), queue(&q) {
        block::kind = &completion_kind;
    }

    completion_queue* queue;
    std::exception_ptr not_started;  ///< why the rest could not be started

    static const lowlevel::managed_block_kind completion_kind;
};

}  // namespace detail

/// The tasks of as_completed(), as they finish.
///
/// @threads  loop
template <class T>
class completed_tasks {
public:
    completed_tasks() noexcept = default;

    completed_tasks(const completed_tasks&) = delete;
    completed_tasks& operator=(const completed_tasks&) = delete;

    /// The handle of the next task that has finished; empty when there is none left.
    ///
    /// @throws        nothing; a task that fails makes the whole block fail
    /// @checkpoint    always
    /// @cancellation  atomic
    /// @allocates     nothing
    [[nodiscard]] detail::next_completed<T> next() noexcept {
        return detail::next_completed<T>(queue_);
    }

private:
    template <class U>
    friend class as_completed_manager;

    detail::completion_queue queue_;
};

/// What as_completed() returns: pass it to `with`.
template <class T>
class as_completed_manager {
public:
    explicit as_completed_manager(std::vector<task<T>> tasks)
        : tasks_(std::move(tasks)) {
        if (tasks_.empty())
            detail::throw_nothing_to_complete();
        for (std::size_t i = 0; i < tasks_.size(); ++i)
            detail::require_unspent("as_completed", i, static_cast<bool>(tasks_[i]));
    }

    as_completed_manager(const as_completed_manager&) = delete;
    as_completed_manager& operator=(const as_completed_manager&) = delete;

    /// What `with` makes of it.
    class with_block : public detail::completion_block {
    public:
        static constexpr bool subject_is_optional = false;

        with_block(as_completed_manager& m, lowlevel::body_outcome& shared) noexcept
            : completion_block(m.core_, m.completed_.queue_, shared), manager_(&m) {}

        /// @throws usage_error  if it has served a block already
        void enter(lowlevel::loop_state& loop) {
            core->open(loop);
            try {
                for (task<T>& each : manager_->tasks_)
                    manager_->start(each);
            } catch (...) {
                not_started = std::current_exception();
                core->own_scope().cancel("no memory for a task");
            }
        }

        [[nodiscard]] completed_tasks<T>& subject() noexcept {
            return manager_->completed_;
        }

    private:
        as_completed_manager* manager_;
    };

private:
    void start(task<T>& made) {
        auto call = [&made] { return std::move(made); };
        using state = detail::completion_state<T>;
        lowlevel::task_state* child = nullptr;
        state* const kept = detail::spawn<state, decltype(call)>(
            {},
            [&](lowlevel::task_state& task,
                lowlevel::frame_link& first,
                lowlevel::frame_owner& owner) {
                core_.adopt(task, first, owner);
                child = &task;
            },
            call
        );
        kept->attach(*child);
        kept->link.state = kept;
        kept->link.queue = &completed_.queue_;
        completed_.queue_.expect();
    }

    std::vector<task<T>> tasks_;
    completed_tasks<T> completed_;
    detail::group_core core_;
};

/// Runs tasks at once, for one block, which gets them one by one as they finish:
///
/// ```
/// co_await with(as_completed(std::move(downloads)), [&](completed_tasks<page>& done) -> task<> {
///     while (auto download = co_await done.next())
///         show(download->result());
/// });
/// ```
///
/// When the body ends, the tasks that have not finished are cancelled. Errors are those of
/// a task group: the first cancels the body and the other tasks, and the block throws an
/// exception_group.
///
/// @throws usage_error  if there are no tasks; if one has been awaited already, or was
///                      moved from
/// @threads       loop
/// @allocates     for each task a block and a small record
/// @anyio         anyio.as_completed
template <class T>
[[nodiscard("pass it to with(as_completed(tasks), body)")]] as_completed_manager<T>
as_completed(std::vector<task<T>> tasks) {
    return as_completed_manager<T>(std::move(tasks));
}

template <class First, class... Rest>
    requires(std::is_same_v<First, Rest> && ...)
[[nodiscard("pass it to with(as_completed(tasks...), body)"
)]] as_completed_manager<First>
as_completed(task<First> first, task<Rest>... rest) {
    std::vector<task<First>> tasks;
    tasks.reserve(1 + sizeof...(Rest));
    tasks.push_back(std::move(first));
    (tasks.push_back(std::move(rest)), ...);
    return as_completed_manager<First>(std::move(tasks));
}

}  // namespace anyio
