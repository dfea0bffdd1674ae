// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// scoped_await: one awaitable inside a cancel scope, without a coroutine frame for it.

#include <anyio/basics/awaitable.hpp>
#include <anyio/lowlevel/scope_block.hpp>

#include <concepts>
#include <optional>
#include <type_traits>

namespace anyio::detail {

enum class on_timeout : bool { is_empty, is_error };

/// What would become `bool shield`: a lambda and a pointer convert to bool.
template <class A>
concept mistaken_for_shield =
    !awaitable<A> && !std::same_as<std::remove_cvref_t<A>, bool>;

/// The deadline is armed only if the awaitable suspends.
template <on_timeout Mode, class A>
class [[nodiscard]] scoped_await : public lowlevel::awaitable_base {
    using value = awaited_t<A>;
    using optional_value = std::conditional_t<
        std::is_void_v<value>,
        bool,
        // A copy of what is awaited by reference, such as the value of a task_handle.
        std::optional<std::conditional_t<
            std::is_void_v<value>,
            char,
            std::remove_cvref_t<value>>>>;

public:
    using result =
        std::conditional_t<Mode == on_timeout::is_error, value, optional_value>;

    template <class Prepare>
    scoped_await(Prepare prepare, A&& awaited, duration limit = forever)
        : outcome_{&owner_},
          block_(status_, Mode == on_timeout::is_error, limit, outcome_),
          inner_(awaiter_of(std::forward<A>(awaited), block_.link)) {
        prepare(status_);
    }

    [[nodiscard]] bool await_ready() {
        lowlevel::loop_state& loop = *lowlevel::this_loop;
        if constexpr (std::derived_from<
                          std::remove_reference_t<awaiter_t<A>>,
                          lowlevel::leaf_base>)
            status_.enter_around_leaf(loop, *loop.current);
        else
            status_.enter(loop, *loop.current);
        try {
            if (!inner_.await_ready())
                return false;
        } catch (...) {
            status_.leave(loop);
            throw;
        }
        status_.leave(loop);
        return true;
    }

    void attach(frame_link& parent) noexcept { block_.link.parent = &parent; }

    void await_suspend(lowlevel::awaiting_frame) noexcept {
        inner_.await_suspend(lowlevel::awaiting_frame(&block_.link));
    }

    result await_resume() {
        if constexpr (Mode == on_timeout::is_error) {
            if (owner_.error) [[unlikely]]
                std::rethrow_exception(std::move(owner_.error));
            return inner_.await_resume();
        } else if constexpr (std::is_void_v<value>) {
            if (outcome_.state == lowlevel::body_state::cut)
                return false;
            inner_.await_resume();
            return true;
        } else {
            if (outcome_.state == lowlevel::body_state::cut)
                return std::nullopt;
            return inner_.await_resume();
        }
    }

private:
    frame_owner owner_;
    lowlevel::body_outcome outcome_;
    lowlevel::cancel_status status_;
    lowlevel::scope_block block_;
    awaiter_t<A> inner_;
};

/// Awaits `awaitable` shielded from cancellation from outside, for `limit` at most;
/// false if the time ran out.
template <awaitable A>
[[nodiscard]] auto shielded_for(duration limit, A&& awaitable) {
    return scoped_await<on_timeout::is_empty, A>(
        [limit](lowlevel::cancel_status& scope) {
            scope.set_shield(true);
            if (limit != forever)
                scope.set_timeout(limit);
        },
        std::forward<A>(awaitable)
    );
}

}  // namespace anyio::detail
