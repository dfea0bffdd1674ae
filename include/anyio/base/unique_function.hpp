// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// unique_function: any callable, owned; moves only, without an allocation if small.

#include <anyio/base/config.hpp>

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace anyio {

template <class Signature>
class unique_function;

namespace detail {

/// How to treat the callable inside of a unique_function.
struct function_operations {
    void (*relocate)(void* to, void* from) noexcept;  // move there, destroy here
    void (*destroy)(void* at) noexcept;
};

[[noreturn]] void empty_function_called() noexcept;

/// An `F`, called as `Called`, can stand behind a `Wrapper` of `R(Args...)`.
template <class F, class Called, class Wrapper, class R, class... Args>
concept callable_for = !std::is_same_v<std::remove_cvref_t<F>, Wrapper> &&
                       std::is_invocable_r_v<R, Called, Args...>;

}  // namespace detail

/// Owns anything that can be called as `R(Args...)`, movable is enough.
///
/// One cache line in size. A callable of at most 48 bytes whose move does not throw
/// lies inside, a larger one on the heap. Calling an empty one ends the program.
///
/// A resource: it moves, it does not copy. Moved from, it is empty.
/// @threads  any, as the callable itself
template <class R, class... Args>
class unique_function<R(Args...)> {
public:
    /// Callables up to this size are stored without an allocation.
    static constexpr std::size_t inline_size = 48;

    unique_function() noexcept = default;

    unique_function(std::nullptr_t) noexcept {}

    template <class F>
        requires detail::callable_for<F, std::decay_t<F>&, unique_function, R, Args...>
    unique_function(F&& function) {
        using callable = std::decay_t<F>;
        if constexpr (fits<callable>) {
            ::new (static_cast<void*>(storage_)) callable(std::forward<F>(function));
            call_ = call<callable>;
            operations_ = &operations_of<callable>;
        } else {
            using on_heap = heap<callable>;
            ::new (static_cast<void*>(storage_))
                on_heap(new callable(std::forward<F>(function)));
            call_ = call<on_heap>;
            operations_ = &operations_of<on_heap>;
        }
    }

    unique_function(unique_function&& other) noexcept { take(other); }

    unique_function& operator=(unique_function&& other) noexcept {
        if (this != &other) {
            const unique_function gone(std::move(*this));  // may look at this function
            take(other);
        }
        return *this;
    }

    unique_function(const unique_function&) = delete;  // the callable may not copy
    unique_function& operator=(const unique_function&) = delete;

    ~unique_function() { reset(); }

    R operator()(Args... args) { return call_(storage_, std::forward<Args>(args)...); }

    /// Destroys the callable; empty from then on.
    void reset() noexcept {
        if (operations_ != nullptr) {
            // Empty before the destructor runs: it may look at this function.
            const detail::function_operations* operations =
                std::exchange(operations_, nullptr);
            call_ = call_nothing;
            operations->destroy(storage_);
        }
    }

    [[nodiscard]] explicit operator bool() const noexcept {
        return operations_ != nullptr;
    }

private:
    template <class F>
    struct heap {
        F* function;

        explicit heap(F* owned) noexcept : function(owned) {}

        heap(heap&& other) noexcept
            : function(std::exchange(other.function, nullptr)) {}

        ~heap() { delete function; }

        R operator()(Args... args) {
            return static_cast<R>((*function)(std::forward<Args>(args)...));
        }
    };

    template <class F>
    static constexpr bool fits =
        sizeof(F) <= inline_size && alignof(F) <= alignof(std::max_align_t) &&
        std::is_nothrow_move_constructible_v<F>;

    template <class F>
    static F& target(void* at) noexcept {
        return *std::launder(static_cast<F*>(at));
    }

    template <class F>
    static R call(void* at, Args... args) {
        return static_cast<R>(target<F>(at)(std::forward<Args>(args)...));
    }

    static R call_nothing(void*, Args...) { detail::empty_function_called(); }

    template <class F>
    static constexpr detail::function_operations operations_of{
        [](void* to, void* from) noexcept {
            ::new (to) F(std::move(target<F>(from)));
            target<F>(from).~F();
        },
        [](void* at) noexcept { target<F>(at).~F(); },
    };

    void take(unique_function& other) noexcept {
        if (other.operations_ != nullptr) {
            other.operations_->relocate(storage_, other.storage_);
            operations_ = std::exchange(other.operations_, nullptr);
            call_ = std::exchange(other.call_, call_nothing);
        }
    }

    R (*call_)(void*, Args...) = call_nothing;
    const detail::function_operations* operations_ = nullptr;  // null iff empty
    alignas(std::max_align_t) std::byte storage_[inline_size];
};

}  // namespace anyio
