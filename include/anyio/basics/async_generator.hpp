// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// async_generator<T>: what "async def" with "yield" is in Python.
/// Manual: docs/manual/basics.md#generators

#include <anyio/basics/detail/generator.hpp>

#include <utility>

namespace anyio {

/// See moved().
template <class T>
struct moved_item {
    T& value;
};

/// `co_yield moved(x)` yields `std::move(x)`: for aggregates with destructors, of which
/// g++ 12 cannot have temporaries in a co_yield.
///
/// @threads  any
template <class T>
[[nodiscard]] moved_item<T> moved(T& named) noexcept {
    return {named};
}

/// A coroutine that yields items, one for each `co_await next()`.
///
/// ```
/// async_generator<int> countdown(int from) {
///     for (; from > 0; --from) {
///         co_await sleep(1s);
///         co_yield from;
///     }
/// }
/// auto numbers = countdown(3);
/// while (auto number = co_await numbers.next())
///     use(*number);
/// ```
///
/// Between two items it does not run: it is not a task, and runs inside the task that
/// awaits next(), in that task's scopes. So it may await whatever a task may.
///
/// It may be dropped at any time, half-way through too; that destroys its locals at once,
/// without awaiting anything. Therefore it cannot yield inside `with` or `try_`: their
/// bodies are coroutines of their own. Collect what to yield in the block and yield after
/// it, or take the scope or the task_group as a parameter.
///
/// A generator is moved, not copied; it may be moved while a task waits in next(). `T` is
/// a value, of which the generator's consumer gets a std::optional, or an lvalue
/// reference: then it gets a pointer, good until the next item is asked for.
///
/// @threads    loop; one that has not begun may be made anywhere
/// @allocates  one frame, recycled
/// @anyio      AsyncGenerator
template <class T>
class [[nodiscard("a generator does nothing until you co_await its next()"
)]] async_generator {
public:
    using promise_type = detail::generator_promise<T>;
    using value_type = T;

    async_generator(async_generator&& other) noexcept
        : frame_(std::exchange(other.frame_, nullptr)) {
        own();
    }

    async_generator& operator=(async_generator&& other) noexcept {
        if (this != &other) {
            const async_generator gone(std::move(*this));
            frame_ = std::exchange(other.frame_, nullptr);
            own();
        }
        return *this;
    }

    ~async_generator() { drop(); }

    /// Runs the generator until it yields, and gives what it has yielded: an optional, or
    /// a pointer if T is a reference; empty at the end, and ever after.
    ///
    /// Each call may be awaited in another task, but only one at a time.
    ///
    /// @throws        what the generator throws; then it has ended
    /// @throws busy_resource_error  if another task waits in next()
    /// @checkpoint    always
    /// @cancellation  atomic if the task was cancelled before: the generator has not run.
    ///                Later, while the generator awaits something: unwinds it, and then it
    ///                has ended
    /// @allocates     nothing
    /// @anyio         AsyncGenerator.__anext__
    [[nodiscard]] detail::generator_next_operation<T> next() noexcept {
        return detail::generator_next_operation<T>(frame_);
    }

    /// False once it has ended or was moved from.
    [[nodiscard]] explicit operator bool() const noexcept { return frame_ != nullptr; }

private:
    friend promise_type;

    explicit async_generator(promise_type& frame) noexcept : frame_(&frame) { own(); }

    void own() noexcept {
        if (frame_)
            frame_->handle = &frame_;
    }

    void drop() noexcept {
        if (!frame_)
            return;
        if (frame_->owner) [[unlikely]]
            detail::generator_dropped_while_running(*frame_);
        detail::generator_promise_base* const dropped = std::exchange(frame_, nullptr);
        dropped->handle = nullptr;
        lowlevel::handle_of(dropped).destroy();
    }

    detail::generator_promise_base* frame_;  // null: it has ended
};

namespace detail {

static_assert(alignof(generator_promise<int>) <= 2 * sizeof(void*));

template <class T>
async_generator<T> generator_promise<T>::get_return_object() noexcept {
    return async_generator<T>(*this);
}

}  // namespace detail

}  // namespace anyio

/// Functions that return an async_generator<T> may be coroutines.
template <class T, class... P>
struct std::coroutine_traits<anyio::async_generator<T>, P...> {
    static_assert((anyio::detail::check_frame_parameters<P...>(), true));

    using promise_type = anyio::detail::generator_promise<T>;
};
