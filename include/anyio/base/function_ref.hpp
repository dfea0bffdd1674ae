// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// function_ref: a callable that somebody else owns, as a parameter.

#include <anyio/base/config.hpp>

#include <type_traits>
#include <utility>

namespace anyio {

template <class Signature>
class function_ref;

namespace detail {
template <class F, class Ref, class R, class... Args>
concept referable = !std::is_same_v<std::remove_cvref_t<F>, Ref> &&
                    !std::is_member_pointer_v<std::remove_reference_t<F>> &&
                    std::is_invocable_r_v<R, F&, Args...>;
}  // namespace detail

/// Refers to anything that can be called as `R(Args...)`; two words, never allocates,
/// never empty.
///
/// A parameter type for functions that call their argument before they return. It does
/// not keep the callable alive: do not store one (`unique_function` is for that). For a
/// pointer to a member pass a lambda.
///
/// @threads  any, as the callable itself
template <class R, class... Args>
class function_ref<R(Args...)> {
public:
    template <class F>
        requires detail::referable<F, function_ref, R, Args...>
    function_ref(F&& function) noexcept {
        using target = std::remove_reference_t<F>;
        if constexpr (std::is_function_v<target>) {
            bound_.function = reinterpret_cast<void (*)()>(&function);
            call_ = [](bound to, Args... args) -> R {
                return static_cast<R>((*reinterpret_cast<target*>(to.function))(
                    std::forward<Args>(args)...
                ));
            };
        } else {
            const void* object = __builtin_addressof(function);
            bound_.object = const_cast<void*>(object);
            call_ = [](bound to, Args... args) -> R {
                return static_cast<R>(
                    (*static_cast<target*>(to.object))(std::forward<Args>(args)...)
                );
            };
        }
    }

    R operator()(Args... args) const {
        return call_(bound_, std::forward<Args>(args)...);
    }

private:
    union bound {  // a pointer to a function need not fit a void*
        void* object;
        void (*function)();
    };

    bound bound_;
    R (*call_)(bound, Args...);
};

}  // namespace anyio
