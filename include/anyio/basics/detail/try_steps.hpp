// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What a try_ block does, as coroutines.

#include <anyio/base/caught_as.hpp>
#include <anyio/base/exception_group.hpp>
#include <anyio/base/time.hpp>
#include <anyio/basics/body.hpp>
#include <anyio/basics/outcome.hpp>
#include <anyio/basics/scoped_await.hpp>

#include <concepts>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace anyio::detail {

/// An object that is made in place later, and cannot be moved.
template <class T>
class late {
public:
    late() noexcept {}

    ~late() {
        if (made_)
            value_.~T();
    }

    late(const late&) = delete;
    late& operator=(const late&) = delete;

    template <class... A>
    void emplace(A&&... arguments) {
        new (&value_) T(std::forward<A>(arguments)...);
        made_ = true;
    }

    T* operator->() noexcept { return &value_; }

private:
    union {
        T value_;
    };

    bool made_ = false;
};

template <class E, class H>
struct except_clause {
    H* handler;
};

template <class E, class H>
struct except_star_clause {
    H* handler;
};

template <class H>
struct on_cancel_clause {
    H* handler;
};

template <class H>
struct finally_clause {
    H* handler;
    duration grace;
};

template <class C>
inline constexpr bool is_except = false;
template <class E, class H>
inline constexpr bool is_except<except_clause<E, H>> = true;
template <class C>
inline constexpr bool is_except_star = false;
template <class E, class H>
inline constexpr bool is_except_star<except_star_clause<E, H>> = true;
template <class C>
inline constexpr bool is_on_cancel = false;
template <class H>
inline constexpr bool is_on_cancel<on_cancel_clause<H>> = true;
template <class C>
inline constexpr bool is_finally = false;
template <class H>
inline constexpr bool is_finally<finally_clause<H>> = true;

/// What a callable returns, or what the task that it returns yields.
template <class R>
struct yielded {
    using type = R;
};

template <class T>
struct yielded<task<T>> {
    using type = T;
};

template <class Body>
using try_value_t = typename yielded<std::invoke_result_t<Body&>>::type;

template <class H, class A>
inline constexpr bool takes_error =
    std::is_invocable_v<H&, const A&, const std::exception_ptr&>;

/// Calls `h` with as much of `argument` and `error` as it takes.
template <class H, class A>
decltype(auto) call_with(H& h, const A& argument, const std::exception_ptr& error) {
    if constexpr (takes_error<H, A>)
        return h(argument, error);
    else if constexpr (std::is_invocable_v<H&, const A&>)
        return h(argument);
    else if constexpr (std::is_invocable_v<H&>)
        return h();
}

/// Says so where the handler is given.
template <class H, class A>
constexpr void check_handler() {
    using handler = std::remove_reference_t<H>;
    static_assert(
        takes_error<handler, A> || std::is_invocable_v<handler&, const A&> ||
            std::is_invocable_v<handler&>,
        "try_(...): the handler of except<E> takes a const E&, that of except_star<E> a "
        "const matches<E>& (const auto& will do); both may take a std::exception_ptr "
        "besides, or nothing"
    );
}

/// The same, as in a catch clause: `throw;` in `h` throws `error`. Not for coroutines,
/// which leave the clause when they suspend.
template <class H, class A>
decltype(auto)
call_while_handling(H& h, const A& argument, const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (...) {
        return call_with(h, argument, error);
    }
}

template <class C>
struct handler_value {
    using type = void;
};

template <class E, class H>
struct handler_value<except_clause<E, H>> {
    using type = typename yielded<decltype(call_with(
        std::declval<H&>(), std::declval<const E&>(), nullptr
    ))>::type;
};

/// Whether every except clause yields a T.
template <class T, class C>
inline constexpr bool yields_value =
    !is_except_star<C> &&
    (!is_except<C> || std::is_convertible_v<typename handler_value<C>::type, T>);

template <class T, class... C>
struct try_result {
    static constexpr bool plain = (yields_value<T, C> && ...);
    using type = std::conditional_t<plain, T, std::optional<T>>;
};

template <class... C>
struct try_result<void, C...> {
    using type = void;
};

template <class T, class... C>
using try_result_t = typename try_result<T, C...>::type;

/// Calls and awaits something that may be plain or a coroutine.
template <class T, class Call>
task<T> call_and_await(Call& call) {
    using returned = std::invoke_result_t<Call&>;
    if constexpr (!is_task<returned>) {
        co_return call();
    } else if constexpr (std::is_void_v<T>) {
        co_await call();
    } else {
        T value = co_await call();
        co_return value;
    }
}

/// A handler's result as the block's.
template <class R, class Call>
task<R> handle_with(Call& call) {
    using value = typename yielded<std::invoke_result_t<Call&>>::type;
    if constexpr (std::is_void_v<value>) {
        co_await call_and_await<void>(call);
        if constexpr (!std::is_void_v<R>)
            co_return R();
    } else {
        value result = co_await call_and_await<value>(call);
        if constexpr (!std::is_void_v<R>)
            co_return R(std::move(result));
    }
}

template <class R, class E, class H>
task<R> handle_one(const E& caught, std::exception_ptr error, H& handler) {
    using returned = decltype(call_with(handler, caught, error));
    auto call = [&]() -> decltype(auto) {
        if constexpr (is_task<returned>)
            return call_with(handler, caught, error);
        else
            return call_while_handling(handler, caught, error);
    };
    if constexpr (std::is_void_v<R>) {
        co_await handle_with<R>(call);
    } else {
        R result = co_await handle_with<R>(call);
        co_return result;
    }
}

/// True if the clause handles the error: then `found` is what to await.
template <class R, class C>
bool try_clause(const std::exception_ptr&, const C&, std::optional<task<R>>&) {
    return false;
}

template <class R, class E, class H>
bool try_clause(
    const std::exception_ptr& error,
    const except_clause<E, H>& clause,
    std::optional<task<R>>& found
) {
    const E* const caught = caught_as<E>(error);
    if (caught)
        found.emplace(handle_one<R>(*caught, error, *clause.handler));
    return caught != nullptr;
}

/// What is left of an error while except_star clauses take their parts.
struct star_state {
    std::optional<exception_group> rest;
    std::vector<std::exception_ptr> raised;  ///< by handlers
    bool handled = false;

    /// Throws what is left, as a group; `original` if nobody took anything.
    void finish(const std::exception_ptr& original) const;
};

template <class E, class H>
task<> handle_star(star_state& state, except_star_clause<E, H> clause) {
    if (!state.rest)
        co_return;
    auto parts = state.rest->template split<E>();
    if (!parts.first)
        co_return;
    state.handled = true;
    state.rest = std::move(parts.second);
    const std::exception_ptr error = std::make_exception_ptr(*parts.first);
    const matches<E> caught(std::move(*parts.first));
    outcome<void> ended =
        co_await as_outcome(handle_one<void>(caught, error, *clause.handler));
    if (ended.has_error())
        state.raised.push_back(ended.error());
    else
        co_await std::move(ended).unwrap();
}

template <std::size_t I, class... C>
task<> handle_stars(star_state& state, const std::tuple<C...>& clauses) {
    if constexpr (I < sizeof...(C)) {
        if constexpr (is_except_star<std::tuple_element_t<I, std::tuple<C...>>>)
            co_await handle_star(state, std::get<I>(clauses));
        co_await handle_stars<I + 1>(state, clauses);
    }
    co_return;
}

/// The except and except_star clauses; what none of them handles is thrown.
template <class R, class... C>
task<R> handle_error(std::exception_ptr error, const std::tuple<C...>& clauses) {
    if constexpr ((is_except_star<C> || ...)) {
        static_assert(
            !(is_except<C> || ...),
            "try_(...): use except<E> or except_star<E> in one block, not both; nest two "
            "blocks instead"
        );
        star_state state{to_exception_group(error), {}, false};
        co_await handle_stars<0>(state, clauses);
        state.finish(error);
        if constexpr (!std::is_void_v<R>)
            co_return R();
    } else {
        std::optional<task<R>> handler;
        std::apply(
            [&](const auto&... clause) {
                (void)(try_clause(error, clause, handler) || ...);
            },
            clauses
        );
        if (!handler)
            std::rethrow_exception(std::move(error));
        if constexpr (std::is_void_v<R>) {
            co_await std::move(*handler);
        } else {
            R result = co_await std::move(*handler);
            co_return result;
        }
    }
}

// The handlers of on_cancel and finally_, in order.

template <class C>
task<> on_cancel_step(C) {
    co_return;
}

template <class H>
task<> on_cancel_step(on_cancel_clause<H> clause) {
    co_await handle_with<void>(*clause.handler);
}

template <class C>
task<> finally_step(C) {
    co_return;
}

template <class H>
task<> finally_step(finally_clause<H> clause) {
    co_await shielded_for(clause.grace, handle_with<void>(*clause.handler));
}

template <std::size_t I, class... C>
task<> on_cancel_steps(const std::tuple<C...>& clauses) {
    if constexpr (I < sizeof...(C)) {
        co_await on_cancel_step(std::get<I>(clauses));
        co_await on_cancel_steps<I + 1>(clauses);
    }
    co_return;
}

template <std::size_t I, class... C>
task<> finally_steps(const std::tuple<C...>& clauses) {
    if constexpr (I < sizeof...(C)) {
        co_await finally_step(std::get<I>(clauses));
        co_await finally_steps<I + 1>(clauses);
    }
    co_return;
}

/// The whole block.
template <class R, class T, class Body, class... C>
task<R> run_try(Body& body, const std::tuple<C...>& clauses) {
    outcome<R> ended = co_await as_outcome(handle_with<R>(body));
    if (ended.has_error() && ((is_except<C> || is_except_star<C>) || ...)) {
        ended = co_await as_outcome(handle_error<R>(ended.error(), clauses));
    } else if (ended.is_cancelled() && (is_on_cancel<C> || ...)) {
        outcome<void> told = co_await as_outcome(on_cancel_steps<0>(clauses));
        if (told.has_error())
            ended = outcome<R>(told.error());
    }
    if constexpr ((is_finally<C> || ...))
        co_await finally_steps<0>(clauses);
    if constexpr (std::is_void_v<R>) {
        co_await std::move(ended).unwrap();
    } else {
        R result = co_await std::move(ended).unwrap();
        co_return result;
    }
}

}  // namespace anyio::detail
