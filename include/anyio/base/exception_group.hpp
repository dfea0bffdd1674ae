// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// exception_group: what a task group throws when anything in it failed.

#include <anyio/base/caught_as.hpp>
#include <anyio/base/config.hpp>
#include <anyio/base/function_ref.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace anyio {

template <class E>
class matches;

namespace detail {
struct group_state;
}

/// One or more errors that happened side by side, each with its task and its place.
///
/// A task group always throws one, for a single error too: there is one thing to catch.
/// Groups nest as task groups do. An error in it that is no group is a *leaf*.
/// Questions by type look at the leaves, and match as `catch (const E&)` does.
///
///     catch (const anyio::exception_group& group) {
///         auto rest = group.handle<http_error>([](const auto& errors) {
///             for (const http_error& e : errors) log(e.what());
///         });
///         if (rest) throw *rest;
///     }
///
/// A value: it never changes, and copies share it. Copying does not throw. There is no
/// limit to its depth: nothing here recurses, destruction neither.
///
/// @threads  any
/// @anyio    ExceptionGroup
class ANYIO_EXPORT exception_group : public std::exception {
public:
    /// An error, and where it came from.
    struct member {
        std::exception_ptr error;
        std::string task = {};  ///< the task's name; may be empty
        std::vector<std::source_location> trace = {};  ///< its awaits, innermost first

        /// The type of the error and what it says: `std::runtime_error: no route to host`.
        [[nodiscard]] std::string what() const;
    };

    /// @param message  what happened: "unhandled errors in a task group"
    /// @throws usage_error  if there is no error, or one of them is null
    exception_group(std::string_view message, std::vector<member> members);
    exception_group(std::string_view message, std::vector<std::exception_ptr> errors);

    exception_group(const exception_group& other) noexcept;
    exception_group& operator=(const exception_group& other) noexcept;
    ~exception_group() override;

    [[nodiscard]] std::string_view message() const noexcept;
    [[nodiscard]] std::span<const member> members() const noexcept;

    /// How many members it has; a nested group counts as one.
    [[nodiscard]] std::size_t size() const noexcept;

    /// The tree of errors with tasks, awaits and causes. Ends in a line break only if a
    /// message does. Very deep or very long trees are cut, which "..." tells.
    ///
    /// @complexity  linear the first time, then constant
    [[nodiscard]] const char* what() const noexcept override;

    /// The leaves that match, and the others. Both keep the nesting, the messages, the
    /// tasks and the traces; a group of which nothing is left vanishes. Groups that are
    /// not cut stay the same objects, with a derived class and a cause if they have one.
    ///
    /// @throws  what `predicate` throws
    [[nodiscard]] std::
        pair<std::optional<exception_group>, std::optional<exception_group>>
        split_if(function_ref<bool(const std::exception_ptr&)> predicate) const;

    template <class E>
    [[nodiscard]] std::
        pair<std::optional<exception_group>, std::optional<exception_group>>
        split() const;

    /// The first half of `split`; empty if no leaf matches.
    [[nodiscard]] std::optional<exception_group>
    subgroup_if(function_ref<bool(const std::exception_ptr&)> predicate) const;

    template <class E>
    [[nodiscard]] std::optional<exception_group> subgroup() const;

    /// Whether any leaf is an `E`.
    [[nodiscard]] bool
    contains_if(function_ref<bool(const std::exception_ptr&)> predicate) const;

    template <class E>
    [[nodiscard]] bool contains() const;

    /// Calls `f(const matches<E>&)` if any leaf is an `E`; returns what is left, empty
    /// if nothing is. Python's `except*`; where the handler has to await, use `try_`.
    ///
    /// @throws exception_group  if `f` throws: its exception and what was left
    template <class E, class F>
    [[nodiscard]] std::optional<exception_group> handle(F&& f) const;

    /// All leaves, in the order in which `what()` prints them.
    [[nodiscard]] std::vector<std::exception_ptr> leaves() const;

    /// The leaf if there is exactly one, however deep; null otherwise.
    [[nodiscard]] std::exception_ptr unwrap_single() const noexcept;

private:
    friend struct detail::group_state;

    explicit exception_group(const detail::group_state* state) noexcept;

    const detail::group_state* state_;  // shared, counted, immutable; never null
};

/// The group that `error` is, or a group of `error` alone: what `except*` sees.
///
/// @throws usage_error  if `error` is null
[[nodiscard]] exception_group to_exception_group(const std::exception_ptr& error);

namespace detail {

/// `caught_as`, for the errors in a group.
template <class E>
const std::remove_reference_t<E>* leaf_as(const std::exception_ptr& leaf) noexcept {
    static_assert(
        !std::derived_from<E, exception_group>,
        "the errors in an exception_group are looked for in nested groups too, so none of "
        "them is an exception_group; name the type of the errors, as in "
        "handle<std::exception>(...), or write catch (const anyio::exception_group&) for "
        "the whole"
    );
    return caught_as<E>(leaf);
}

template <class E>
bool is_leaf_as(const std::exception_ptr& leaf) noexcept {
    return leaf_as<E>(leaf) != nullptr;
}

[[noreturn]] void
throw_with_rest(std::exception_ptr thrown, const std::optional<exception_group>& rest);

}  // namespace detail

/// The errors of type `E` in a group: a range over them as `const E&`, in the order of
/// the leaves. Keeps them alive.
template <class E>
class matches {
public:
    /// A forward iterator; valid as long as the range.
    class iterator {
    public:
        using value_type = E;
        using difference_type = std::ptrdiff_t;

        iterator() noexcept = default;

        const E& operator*() const noexcept { return **at_; }

        const E* operator->() const noexcept { return *at_; }

        iterator& operator++() noexcept {
            ++at_;
            return *this;
        }

        iterator operator++(int) noexcept { return iterator(at_++); }

        friend bool operator==(iterator, iterator) noexcept = default;

    private:
        friend class matches;

        explicit iterator(const E* const* at) noexcept : at_(at) {}

        const E* const* at_ = nullptr;
    };

    using const_iterator = iterator;

    /// @param group  a subgroup; leaves that are no `E` are passed over
    explicit matches(exception_group group) : group_(std::move(group)) {
        for (const std::exception_ptr& leaf : group_.leaves()) {
            if (const E* found = detail::leaf_as<E>(leaf)) {
                errors_.push_back(found);
            }
        }
    }

    [[nodiscard]] iterator begin() const noexcept { return iterator(errors_.data()); }

    [[nodiscard]] iterator end() const noexcept {
        return iterator(errors_.data() + size());
    }

    [[nodiscard]] std::size_t size() const noexcept { return errors_.size(); }

    [[nodiscard]] bool empty() const noexcept { return errors_.empty(); }

    [[nodiscard]] const E& front() const noexcept { return *errors_.front(); }

    /// The same errors as a group, with nesting, messages, tasks and traces.
    [[nodiscard]] const exception_group& group() const noexcept { return group_; }

private:
    exception_group group_;
    std::vector<const E*> errors_;  // into exceptions that group_ keeps alive
};

template <class E>
std::pair<std::optional<exception_group>, std::optional<exception_group>>
exception_group::split() const {
    return split_if(detail::is_leaf_as<E>);
}

template <class E>
std::optional<exception_group> exception_group::subgroup() const {
    return subgroup_if(detail::is_leaf_as<E>);
}

template <class E>
bool exception_group::contains() const {
    return contains_if(detail::is_leaf_as<E>);
}

template <class E, class F>
std::optional<exception_group> exception_group::handle(F&& f) const {
    static_assert(
        std::is_invocable_v<F, const matches<E>&>,
        "handle<E>(f) calls f(const anyio::matches<E>&), the range of all errors of type "
        "E: write handle<E>([](const auto& errors) { for (const E& e : errors) ...; })"
    );
    auto [matching, rest] = split<E>();
    if (matching) {
        const matches<E> errors(*std::move(matching));
        try {
            static_cast<void>(std::forward<F>(f)(errors));
        } catch (...) {
            detail::throw_with_rest(std::current_exception(), rest);
        }
    }
    return rest;
}

}  // namespace anyio
