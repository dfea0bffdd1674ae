// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// start_operation: task_group::start. The child begins under the caller, and moves to
/// the group when it says that it is ready.

#include <anyio/base/light_std.hpp>
#include <anyio/tasks/detail/group_core.hpp>
#include <anyio/tasks/detail/spawn.hpp>
#include <anyio/tasks/task_status.hpp>

#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace anyio::detail {

template <class... P>
struct last_of {
    using type = void;
};

template <class First, class... Rest>
struct last_of<First, Rest...> {
    using type = std::tuple_element_t<sizeof...(Rest), std::tuple<First, Rest...>>;
};

// Pointers to noexcept functions convert to these.
template <class R, class... P>
last_of<P...> parameters_of(R (*)(P...));
template <class R, class C, class... P>
last_of<P...> parameters_of(R (C::*)(P...));
template <class R, class C, class... P>
last_of<P...> parameters_of(R (C::*)(P...) const);
template <class R, class C, class... P>
last_of<P...> parameters_of(R (C::*)(P...) &);
template <class R, class C, class... P>
last_of<P...> parameters_of(R (C::*)(P...) const&);
template <class R, class C, class... P>
last_of<P...> parameters_of(R (C::*)(P...) &&);

/// The last parameter of a callable; void if that cannot be told: the call operator is a
/// template, or overloaded.
template <class F>
struct last_parameter {
    using type = void;
};

template <class F>
    requires requires(F f) { parameters_of(f); }
struct last_parameter<F> : decltype(parameters_of(std::declval<F>())){};

template <class F>
    requires requires { parameters_of(&F::operator()); }
struct last_parameter<F> : decltype(parameters_of(&F::operator())){};

template <class F>
struct last_parameter<std::reference_wrapper<F>> : last_parameter<std::decay_t<F>> {};

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
    typename status_value<std::remove_cvref_t<typename last_parameter<F>::type>>::type;

template <class F, class... Args>
constexpr void check_start_call() {
    using callable = std::decay_t<F>;
    using status = task_status<start_value_t<callable>>;
    check_temporary_callable<F>();
    (check_temporary_argument<Args>(), ...);
    constexpr bool fits =
        std::is_invocable_v<callable, std::decay_t<Args>..., status> ||
        wants_reference<callable, Args..., status>;
    static_assert(
        fits,
        "tg.start(f, args...): f cannot be called with these arguments and a task_status "
        "after them"
    );
    if constexpr (fits)
        check_task_call<F, Args..., status>();
}

/// Kept with a child that start() has begun.
template <class T>
struct start_reference {
    ~start_reference() {
        if (state)
            state->release();
    }

    void finish(
        lowlevel::task_state& task, lowlevel::task_end& end, std::exception_ptr& error
    ) noexcept {
        child_of_start_ended(*state, task, end, error);
    }

    result_slot<T> result;
    start_state* state = nullptr;
};

/// The part of start() without types.
class start_core : public lowlevel::awaitable_base, public lowlevel::wait_record {
public:
    void await_suspend(std::coroutine_handle<> handle) noexcept;

protected:
    explicit start_core(group_core& group) noexcept
        : wait_record(wait_kind_), group_(&group) {}

    /// @throws usage_error  unless the group is open
    [[nodiscard]] bool may_begin() const;
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

template <class F, class... Args>
class [[nodiscard("start() begins the child when you co_await it"
)]] start_operation final : public start_core {
    using value = start_value_t<F>;
    using state_type = typed_start_state<value>;
    using result = task_value_t<F, Args..., task_status<value>>;

public:
    template <class G, class... A>
    start_operation(group_core& group, std::string_view name, G&& g, A&&... args)
        : start_core(group), name_(name), function_(std::forward<G>(g)),
          arguments_(std::forward<A>(args)...) {}

    ~start_operation() {
        if (state_)
            state_->release();
    }

    [[nodiscard]] bool await_ready() {
        if (!may_begin())
            return false;
        state_ = new state_type;
        std::apply(
            [this](Args&... args) {
                auto* const kept =
                    spawn<start_reference<result>, F, Args..., task_status<value>>(
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
                kept->state = state_;
                ++state_->references;
            },
            arguments_
        );
        return false;
    }

    value await_resume() {
        check(*state_);
        if constexpr (!std::is_void_v<value>)
            return std::move(*state_->value);
    }

private:
    task_status<value> status() noexcept {
        ++state_->references;
        return task_status<value>(state_);
    }

    std::string_view name_;
    F function_;
    std::tuple<Args...> arguments_;
    state_type* state_ = nullptr;
};

}  // namespace anyio::detail
