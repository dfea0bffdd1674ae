// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// async_iterable: what `while (auto item = co_await x.next())` works with; and
/// item_reader, with which algorithms read that and the ranges of the standard alike.

#include <anyio/base/light_std.hpp>
#include <anyio/basics/awaitable.hpp>

#include <optional>
#include <span>  // std::ranges::begin and the concepts, without the rest of <ranges>
#include <type_traits>
#include <utility>

namespace anyio {

namespace detail {

template <class T>
concept optional_like = requires(T& item) {
    static_cast<bool>(item);
    *item;
};

template <class A>
concept gives_items = optional_like<awaited_t<A>>;

}  // namespace detail

/// Gives items one by one: an async_generator, a stream. `co_await next()` gives an
/// optional or a pointer, empty at the end.
///
/// @anyio  AsyncIterator
template <class S>
concept async_iterable = requires(S& source) {
    { source.next() } -> detail::awaitable;
    { source.next() } -> detail::gives_items;
};

/// What algorithms of this library take: an async_iterable, or a range of the standard.
template <class R>
concept iterable =
    async_iterable<std::remove_cvref_t<R>> || std::ranges::input_range<R>;

namespace detail {

template <class R>
struct item_of {
    using type = std::ranges::range_value_t<R>;
};

template <class R>
    requires async_iterable<std::remove_cvref_t<R>>
struct item_of<R> {
    using source = std::remove_cvref_t<R>;
    using given = awaited_t<decltype(std::declval<source&>().next())>;
    using type = std::remove_cvref_t<decltype(*std::declval<given&>())>;
};

}  // namespace detail

/// One item of an iterable, by value.
template <iterable R>
using item_t = typename detail::item_of<R>::type;

namespace detail {

/// Makes an optional of what another source gives: a pointer, a reference.
template <class Next, class T>
class [[nodiscard]] copied_next_operation final : public lowlevel::awaitable_base {
public:
    template <class Source>
    explicit copied_next_operation(Source& source) : next_(source.next()) {}

    void attach(frame_link& parent) noexcept {
        if constexpr (requires { next_.attach(parent); })
            next_.attach(parent);
    }

    [[nodiscard]] bool await_ready() { return next_.await_ready(); }

    void await_suspend(lowlevel::awaiting_frame handle) { next_.await_suspend(handle); }

    std::optional<T> await_resume() {
        auto&& given = next_.await_resume();
        return given ? std::optional<T>(*given) : std::nullopt;
    }

private:
    Next next_;
};

/// Reads an item that is there: a checkpoint, as every next() is.
template <class Reader>
class [[nodiscard]] read_operation final : public lowlevel::awaitable_base {
public:
    explicit read_operation(Reader& reader) noexcept : reader_(&reader) {}

    [[nodiscard]] bool await_ready() {
        loop_state& loop = *lowlevel::this_loop;
        if (cancelled(*loop.current)) [[unlikely]]
            return false;
        reader_->read(item_);
        complete_ = true;
        return spend_budget(loop);
    }

    void await_suspend(lowlevel::awaiting_frame handle) noexcept {
        loop_state& loop = *lowlevel::this_loop;
        frame_link* const leaf = lowlevel::link_of(handle);
        complete_ ? budget_spent(loop, leaf) : unwind_now(loop, leaf);
    }

    std::optional<typename Reader::value_type> await_resume() {
        return std::move(item_);
    }

private:
    Reader* reader_;
    std::optional<typename Reader::value_type> item_;
    bool complete_ = false;
};

template <class R>
concept borrowed_argument =
    std::is_lvalue_reference_v<R> && !std::ranges::view<std::remove_cvref_t<R>>;

/// An argument as algorithms keep it: what the caller has by reference, temporaries by
/// value. Views are copied, they are references themselves.
template <class R>
class kept_argument {
public:
    explicit kept_argument(R&& argument) : value_(std::forward<R>(argument)) {}

    auto& get() noexcept { return value_; }

private:
    std::remove_cvref_t<R> value_;
};

template <borrowed_argument R>
class kept_argument<R> {
public:
    explicit kept_argument(R argument) noexcept
        : pointer_(__builtin_addressof(argument)) {}

    auto& get() noexcept { return *pointer_; }

private:
    std::remove_reference_t<R>* pointer_;
};

}  // namespace detail

/// Reads any iterable with `co_await next()`; for those who write algorithms. `R` is as
/// deduced for a parameter `R&&`: lvalues are referred to, temporaries are moved in, and
/// items are copied out of the former and moved out of the latter.
///
/// @threads  loop
template <iterable R>
class item_reader {
    using kept = detail::kept_argument<R>;
    using range_type = std::remove_reference_t<decltype(std::declval<kept&>().get())>;
    using iterator = std::ranges::iterator_t<range_type>;
    static constexpr bool owns =
        !detail::borrowed_argument<R> && !std::ranges::view<std::remove_cvref_t<R>>;

public:
    using value_type = item_t<R>;

    explicit item_reader(R&& range) : range_(std::forward<R>(range)) {}

    /// The next item; empty at the end, and ever after.
    ///
    /// @throws        what the range throws
    /// @checkpoint    always
    /// @cancellation  atomic
    /// @allocates     nothing
    [[nodiscard]] detail::read_operation<item_reader> next() noexcept {
        return detail::read_operation<item_reader>(*this);
    }

private:
    friend detail::read_operation<item_reader>;

    void read(std::optional<value_type>& item) {
        auto& range = range_.get();
        if (!at_)  // not before: it may have been moved until now
            at_.emplace(std::ranges::begin(range));
        if (ended_ || *at_ == std::ranges::end(range)) {
            ended_ = true;
            return;
        }
        // The iterator of an input range must not be touched before it is asked for more.
        if (begun_)
            ++*at_;
        begun_ = true;
        if (*at_ == std::ranges::end(range)) {
            ended_ = true;
            return;
        }
        if constexpr (owns)
            item.emplace(std::ranges::iter_move(*at_));
        else
            item.emplace(**at_);
    }

    kept range_;
    std::optional<iterator> at_;
    bool begun_ = false;
    bool ended_ = false;
};

/// The same for what yields its items by awaiting.
template <class R>
    requires async_iterable<std::remove_cvref_t<R>>
class item_reader<R> {
    using source = std::remove_cvref_t<R>;
    using next_type = decltype(std::declval<source&>().next());

public:
    using value_type = item_t<R>;

    explicit item_reader(R&& given) : source_(std::forward<R>(given)) {}

    /// The next item; empty at the end.
    ///
    /// @throws        what the source throws
    /// @checkpoint    as the source
    /// @cancellation  as the source
    [[nodiscard]] auto next() {
        if constexpr (std::is_same_v<
                          detail::awaited_t<next_type>,
                          std::optional<value_type>>)
            return source_.get().next();
        else
            return detail::copied_next_operation<next_type, value_type>(source_.get());
    }

private:
    std::conditional_t<
        std::is_lvalue_reference_v<R>,
        std::reference_wrapper<source>,
        detail::kept_argument<R>>
        source_;
};

namespace detail {

/// A value where a task could be awaited.
template <class T>
class [[nodiscard]] ready_value final : public lowlevel::awaitable_base {
public:
    explicit ready_value(T&& value) noexcept : value_(value) {}

    [[nodiscard]] bool await_ready() const noexcept { return true; }

    void await_suspend(lowlevel::awaiting_frame) const noexcept {}

    T&& await_resume() const noexcept { return static_cast<T&&>(value_); }

private:
    std::remove_reference_t<T>& value_;
};

/// `co_await settle(f(x))`: f may be a plain function or a coroutine.
template <class T>
task<T> settle(task<T> result) noexcept {
    return result;
}

template <class T>
    requires(!is_task<std::remove_cvref_t<T>>)
ready_value<T> settle(T&& result) noexcept {
    return ready_value<T>(std::forward<T>(result));
}

template <class T>
struct settled_result {
    using type = std::remove_cvref_t<T>;
};

template <class T>
struct settled_result<task<T>> {
    using type = std::remove_cvref_t<T>;
};

/// What `co_await settle(f(args...))` gives, by value.
template <class F, class... Args>
using settled_t = typename settled_result<std::invoke_result_t<F&, Args...>>::type;

}  // namespace detail

}  // namespace anyio
