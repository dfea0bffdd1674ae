// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// task_status<T>: how a task that was begun with start() says "ready".
/// Manual: docs/manual/tasks.md#starting

#include <anyio/lowlevel/loop_state.hpp>

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace anyio {

namespace detail {

class group_core;

/// Shared by the starter, the child, and the child's task_status objects.
struct start_state {
    enum class stage : std::uint8_t { waiting, started, ended };

    explicit start_state(void (*d)(start_state&) noexcept) noexcept : destroy(d) {}

    std::size_t references = 1;
    void (*destroy)(start_state&) noexcept;
    lowlevel::task_state* child = nullptr;  ///< from when it is made until it has ended
    lowlevel::task_state* starter = nullptr;  ///< while it waits in start()
    group_core* target = nullptr;             ///< the group that it moves to
    lowlevel::cancel_status scope;            ///< of the child alone
    std::exception_ptr error;  ///< the child's, if it came before started()
    stage now = stage::waiting;
    bool called = false;  ///< started() has been called, also in vain

    void release() noexcept {
        if (--references == 0)
            destroy(*this);
    }
};

template <class T>
struct typed_start_state : start_state {
    static_assert(
        alignof(std::conditional_t<std::is_void_v<T>, char, T>) <=
            lowlevel::max_alignment,
        "task_status<T>: T is over-aligned, and frames of coroutines, where start() leaves "
        "it, are aligned to 16 bytes; pass it in a container, such as std::unique_ptr<T>"
    );

    typed_start_state() noexcept : start_state(&destroy_this) {}

    static void destroy_this(start_state& self) noexcept {
        delete static_cast<typed_start_state*>(&self);
    }

    std::optional<std::conditional_t<std::is_void_v<T>, std::monostate, T>> value;
};

/// Whether the value is wanted: false if the child has ended.
///
/// @throws usage_error  the second time
[[nodiscard]] bool begin_started(start_state& state);
/// The value is there. Moves the child to its group and wakes the starter, unless start()
/// has been cancelled: then the child stays where its cancellation can reach it.
void finish_started(start_state& state) noexcept;
/// The child has ended; takes its error if it was not ready yet.
void child_of_start_ended(
    start_state& state,
    lowlevel::task_state& child,
    lowlevel::task_end& end,
    std::exception_ptr& error
) noexcept;

struct ignored_status {};

}  // namespace detail

/// What a task_status parameter is by default: started() does nothing.
///
/// @anyio  anyio.TASK_STATUS_IGNORED
inline constexpr detail::ignored_status TASK_STATUS_IGNORED{};

/// The last parameter of a function that can be begun with `task_group::start`.
///
/// ```
/// task<> serve(task_status<int> status = TASK_STATUS_IGNORED) {
///     ...
///     status.started(port);
/// ```
///
/// Copies say the same thing: one of them calls started(), once.
///
/// @threads  loop
/// @anyio    anyio.abc.TaskStatus
template <class T = void>
class task_status {
public:
    task_status(detail::ignored_status = TASK_STATUS_IGNORED) noexcept {}

    task_status(const task_status& other) noexcept : state_(other.state_) {
        if (state_)
            ++state_->references;
    }

    task_status(task_status&& other) noexcept
        : state_(std::exchange(other.state_, nullptr)) {}

    task_status& operator=(task_status other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }

    ~task_status() {
        if (state_)
            state_->release();
    }

    /// The task is ready: start() returns `value`. Does nothing if the task was not begun
    /// with start(). If start() has been cancelled, it returns `value` only if the task
    /// ends without having been cut short.
    ///
    /// @throws usage_error  if it has been called before
    /// @throws what constructing the value throws; then it has not been called
    /// @checkpoint    never
    /// @cancellation  none
    template <class U = T>
        requires(!std::is_void_v<T>)
    void started(U&& value) {
        say_started(std::forward<U>(value));
    }

    void started()
        requires(std::is_void_v<T> || std::default_initializable<T>)
    {
        say_started();
    }

    /// For those who build task groups; takes over one reference.
    explicit task_status(detail::typed_start_state<T>* state) noexcept
        : state_(state) {}

private:
    template <class... U>
    void say_started(U&&... value) {
        if (!state_ || !detail::begin_started(*state_))
            return;
        try {
            state_->value.emplace(std::forward<U>(value)...);
        } catch (...) {
            state_->called = false;
            throw;
        }
        detail::finish_started(*state_);
    }

    detail::typed_start_state<T>* state_ = nullptr;
};

}  // namespace anyio
