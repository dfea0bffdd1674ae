// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// call_parameters: what a callable takes, and what must be kept for it while a coroutine
/// that it returned runs.

#include <anyio/base/light_std.hpp>

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace anyio::detail {

template <class... P>
struct parameter_list {};

template <std::size_t I, class... P>
struct nth_parameter {
    using type = void;
};

template <class First, class... Rest>
struct nth_parameter<0, First, Rest...> {
    using type = First;
};

template <std::size_t I, class First, class... Rest>
    requires(I != 0)
struct nth_parameter<I, First, Rest...> : nth_parameter<I - 1, Rest...> {};

// Pointers to noexcept functions convert to these.
template <class R, class... P>
parameter_list<P...> parameters_of(R (*)(P...));
template <class R, class C, class... P>
parameter_list<P...> parameters_of(R (C::*)(P...));
template <class R, class C, class... P>
parameter_list<P...> parameters_of(R (C::*)(P...) const);
template <class R, class C, class... P>
parameter_list<P...> parameters_of(R (C::*)(P...) &);
template <class R, class C, class... P>
parameter_list<P...> parameters_of(R (C::*)(P...) const&);
template <class R, class C, class... P>
parameter_list<P...> parameters_of(R (C::*)(P...) &&);
template <class R, class C, class... P>
parameter_list<P...> parameters_of(R (C::*)(P...) const&&);

/// The object that a member function is called for, in a parameter_list.
struct object_parameter {};

template <class Member>
auto with_object(Member) -> void;
template <class... P>
auto with_object(parameter_list<P...>) -> parameter_list<object_parameter, P...>;

/// The parameters of a callable, the object first for a pointer to a member function;
/// void if they cannot be told: the call operator is a template, or overloaded.
template <class F>
struct call_parameters {
    using type = void;
};

template <class F>
    requires(
        !std::is_member_function_pointer_v<F> && requires(F f) { parameters_of(f); }
    )
struct call_parameters<F> {
    using type = decltype(parameters_of(std::declval<F>()));
};

template <class F>
    requires(
        std::is_member_function_pointer_v<F> && requires(F f) { parameters_of(f); }
    )
struct call_parameters<F> {
    using type = decltype(with_object(parameters_of(std::declval<F>())));
};

template <class F>
    requires requires { parameters_of(&F::operator()); }
struct call_parameters<F> {
    using type = decltype(parameters_of(&F::operator()));
};

template <class F>
struct call_parameters<std::reference_wrapper<F>> : call_parameters<std::decay_t<F>> {};

template <class F>
using call_parameters_t = typename call_parameters<std::decay_t<F>>::type;

template <class List, std::size_t I>
struct parameter_at {
    using type = void;
};

template <class... P, std::size_t I>
struct parameter_at<parameter_list<P...>, I> : nth_parameter<I, P...> {};

/// The parameter number I of a callable; void if there is none, or it cannot be told.
template <class F, std::size_t I>
using parameter_t = typename parameter_at<call_parameters_t<F>, I>::type;

template <class List>
struct last_in {
    using type = void;
};

template <class First, class... Rest>
struct last_in<parameter_list<First, Rest...>>
    : nth_parameter<sizeof...(Rest), First, Rest...> {};

template <class F>
using last_parameter_t = typename last_in<call_parameters_t<F>>::type;

/// Whether a reference of type P binds to an A itself, to a base of it, or to what it
/// refers to, as a std::reference_wrapper does; and not to an object made for the call.
/// To volatile no such object is bound.
template <class P, class A>
inline constexpr bool binds_directly =
    std::is_convertible_v<
        std::remove_reference_t<A>*,
        const volatile std::remove_reference_t<P>*> ||
    std::is_convertible_v<A, const volatile std::remove_reference_t<P>&>;

/// Whether a parameter of type P would refer to a temporary object when it is passed an A.
template <class P, class A>
inline constexpr bool refers_to_temporary = [] {
    if constexpr (!std::is_reference_v<P>)
        return false;
    else if constexpr (!std::is_convertible_v<A, std::remove_cvref_t<P>>)
        return false;
    else
        return !binds_directly<P, A>;
}();

/// An argument, and what it is converted to for a parameter that is a reference: both
/// live as long as this.
///
/// @tparam A  a reference, if the argument outlives this
template <class A, class To>
class converted_argument {
public:
    template <class Given>
        requires(!std::is_same_v<std::remove_cvref_t<Given>, converted_argument>)
    converted_argument(Given&& given)  // NOLINT(google-explicit-constructor)
        : from_(std::forward<Given>(given)) {}

    /// Only before take().
    converted_argument(converted_argument&& other
    ) noexcept(std::is_nothrow_constructible_v<A, A&&>)
        : from_(static_cast<A&&>(other.from_)) {}

    converted_argument& operator=(converted_argument&&) = delete;

    ~converted_argument() {
        if (made_)
            to_.~To();
    }

    /// Converts it; once.
    [[nodiscard]] To&& take() {
        new (static_cast<void*>(__builtin_addressof(to_))) To(static_cast<A&&>(from_));
        made_ = true;
        return static_cast<To&&>(to_);
    }

private:
    A from_;
    bool made_ = false;

    union {
        To to_;
    };
};

template <class A>
inline constexpr bool is_converted_argument = false;
template <class A, class To>
inline constexpr bool is_converted_argument<converted_argument<A, To>> = true;

template <class P, class A>
struct call_argument {
    using type = A;
};

template <class P, class A>
    requires refers_to_temporary<P, A>
struct call_argument<P, A> {
    using type = converted_argument<A, std::remove_cvref_t<P>>;
};

/// What is kept of an argument of type A, the I-th of F, while a coroutine that F
/// returned runs.
template <class F, std::size_t I, class A>
using call_argument_t = typename call_argument<parameter_t<F, I>, A>::type;

/// A kept argument as F takes it.
template <class Kept>
[[nodiscard]] decltype(auto) hand_over(std::remove_reference_t<Kept>& kept) {
    if constexpr (is_converted_argument<Kept>)
        return kept.take();
    else
        return static_cast<Kept&&>(kept);
}

}  // namespace anyio::detail
