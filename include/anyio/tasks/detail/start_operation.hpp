// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// start_operation: task_group::start. The child begins under the caller, and moves to
/// the group when it says that it is ready.

#include <anyio/base/light_std.hpp>
#include <anyio/tasks/detail/group_core.hpp>
#include <anyio/tasks/detail/spawn.hpp>
#include <anyio/tasks/task_handle.hpp>
#include <anyio/tasks/task_status.hpp>

#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace anyio::detail {

template <class P>
inline constexpr bool is_task_status = false;
template <class V>
inline constexpr bool is_task_status<task_status<V>> = true;

template <class P>
struct status_value {
    static_assert(
        always_false<P>,
        "tg.start(f, args...): the last parameter of f must be a task_status<V>, by which "
        "f says that it is ready: task<> f(task_status<int> status = TASK_STATUS_IGNORED)"
    );
    using type = void;
};

template <class V>
struct status_value<task_status<V>> {
    using type = V;
};

template <class F>
using start_value_t =
    typename status_value<std::remove_cvref_t<last_parameter_t<F>>>::type;

/// The task_status that a function lacks which is called with `args` alone: the default
/// arguments of a function cannot be seen through a pointer to it. Else void.
template <class F, class... Args>
auto missing_status() {
    using last = last_parameter_t<F>;
    if constexpr (is_task_status<std::remove_cvref_t<last>> &&
                  !std::is_invocable_v<F, Args...> &&
                  std::is_invocable_v<F, Args..., std::remove_cvref_t<last>>)
        return std::type_identity<std::remove_cvref_t<last>>();
    else
        return std::type_identity<void>();
}

template <class F, class... Args>
using missing_status_t =
    typename decltype(missing_status<std::decay_t<F>, std::decay_t<Args>...>())::type;

/// What start() returns after a sentence of the compiler.
[[nodiscard]] task<> refused();

/// Says what is wrong, or true.
template <class F, class... Args>
constexpr bool check_start_call() {
    using callable = std::decay_t<F>;
    using last = last_parameter_t<callable>;
    using status = task_status<start_value_t<callable>>;
    check_temporary_callable<F>();
    (check_temporary_argument<Args>(), ...);
    constexpr bool by_reference = std::is_lvalue_reference_v<last> &&
                                  !std::is_const_v<std::remove_reference_t<last>>;
    static_assert(
        !by_reference,
        "tg.start(f, args...): f takes its task_status by reference, but it is made for "
        "the call; take it by value: task<> f(task_status<int> status)"
    );
    constexpr bool fits =
        by_reference || std::is_invocable_v<callable, std::decay_t<Args>..., status> ||
        wants_reference<callable, Args..., status>;
    static_assert(
        fits,
        "tg.start(f, args...): f cannot be called with these arguments and a task_status "
        "after them"
    );
    if constexpr (fits && !by_reference)
        check_task_call<F, Args..., status>();
    return fits && !by_reference && can_be_kept<F, Args...>;
}

/// Kept with a child that start() has begun; `Kept` is what its handle needs.
template <class Kept>
struct started_child : Kept {
    ~started_child() {
        if (state)
            state->release();
    }

    void finish(
        lowlevel::task_state& child,
        lowlevel::task_end& how,
        std::exception_ptr& failure
    ) noexcept {
        if constexpr (requires { Kept::finish(child, how, failure); })
            Kept::finish(child, how, failure);
        child_of_start_ended(*state, child, how, failure);
    }

    start_state* state = nullptr;
};

/// The part of start() without types.
class start_core : public lowlevel::awaitable_base, public lowlevel::wait_record {
public:
    void await_suspend(lowlevel::awaiting_frame handle) noexcept;

protected:
    explicit start_core(group_core& group) noexcept
        : wait_record(wait_kind_), group_(&group) {}

    /// @throws usage_error  unless the group is open
    void require_open() const;
    void adopt(
        start_state& state,
        lowlevel::task_state& child,
        frame_link& first,
        frame_owner& owner
    );
    void check(const start_state& state) const;

    group_core* group_;
    lowlevel::group_state waiting_room_;  ///< has the child until it is ready

private:
    static lowlevel::abort_result child_decides(lowlevel::wait_record&) noexcept;
    static const lowlevel::wait_kind wait_kind_;
};

/// What start_task() returns; the handle alone if started() is called without a value.
template <class T, class V>
struct start_result {
    using type = started_task<T, V>;
};

template <class T>
struct start_result<T, void> {
    using type = task_handle<T>;
};

/// @tparam WithHandle  start_task(): a handle comes with the value
template <bool WithHandle, class F, class... Args>
class [[nodiscard("start() begins the child when you co_await it"
)]] start_operation final : public start_core {
    using value = start_value_t<F>;
    using state_type = typed_start_state<value>;
    using returned = task_value_t<F, Args..., task_status<value>>;
    using kept_type = started_child<std::conditional_t<
        WithHandle,
        typed_handle_state<returned>,
        unused_value<returned>>>;
    using result = typename std::conditional_t<
        WithHandle,
        start_result<returned, value>,
        std::type_identity<value>>::type;

public:
    template <class G, class... A>
    start_operation(group_core& group, std::string_view name, G&& g, A&&... args)
        : start_core(group), name_(name), function_(std::forward<G>(g)),
          arguments_(std::forward<A>(args)...) {}

    ~start_operation() {
        if constexpr (WithHandle)
            if (kept_)
                kept_->release();
        if (state_)
            state_->release();
    }

    [[nodiscard]] bool await_ready() {
        require_open();
        state_ = new state_type;
        try {
            begin();
        } catch (...) {
            state_->now = start_state::stage::ended;  // for copies of its status
            throw;
        }
        return false;
    }

    result await_resume() {
        check(*state_);
        if constexpr (!WithHandle) {
            if constexpr (!std::is_void_v<value>)
                return std::move(*state_->value);
        } else if constexpr (std::is_void_v<value>) {
            return task_handle<returned>(*std::exchange(kept_, nullptr));
        } else {
            return result{
                task_handle<returned>(*std::exchange(kept_, nullptr)),
                std::move(*state_->value)
            };
        }
    }

private:
    void begin() {
        auto* const kept = std::apply(
            [this](Args&... args) {
                return spawn<kept_type, F, Args..., task_status<value>>(
                    name_,
                    [this](
                        lowlevel::task_state& child,
                        frame_link& first,
                        frame_owner& owner
                    ) { adopt(*state_, child, first, owner); },
                    std::move(function_),
                    std::move(args)...,
                    status()
                );
            },
            arguments_
        );
        kept->state = state_;
        ++state_->references;
        if constexpr (WithHandle) {
            kept->attach(*state_->child);
            kept_ = kept;
        }
    }

    task_status<value> status() noexcept {
        ++state_->references;
        return task_status<value>(state_);
    }

    std::string_view name_;
    F function_;
    std::tuple<Args...> arguments_;
    state_type* state_ = nullptr;
    [[no_unique_address]] std::conditional_t<WithHandle, kept_type*, std::monostate>
        kept_{};
};

}  // namespace anyio::detail
