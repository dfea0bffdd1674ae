// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Doubly linked list threaded through its elements; O(1) unlink, never allocates.

#include <anyio/base/config.hpp>

#include <cstddef>
#include <utility>

namespace anyio {

template <class T, class Tag>
class intrusive_list;

/// The base of whatever can stand in an `intrusive_list<T, Tag>`. An object that stands
/// in several lists at a time has one such base for each, told apart by their tags.
///
/// It leaves its list when it is destroyed. It does not move: its neighbours know its
/// address.
///
/// @threads  loop; nothing is synchronised
template <class Tag = void>
class intrusive_list_node {
public:
    intrusive_list_node() noexcept = default;

    intrusive_list_node(const intrusive_list_node&) =
        delete;  // neighbours hold its address
    intrusive_list_node& operator=(const intrusive_list_node&) = delete;

    ~intrusive_list_node() { unlink(); }

    /// Leaves the list it stands in, whichever that is. Does nothing if it is in none.
    void unlink() noexcept {
        if (next_ != nullptr) {
            next_->previous_ = previous_;
            previous_->next_ = next_;
            next_ = previous_ = nullptr;
        }
    }

    /// Whether it stands in a list.
    [[nodiscard]] bool is_linked() const noexcept { return next_ != nullptr; }

private:
    template <class, class>
    friend class intrusive_list;

    void link_before(intrusive_list_node& position) noexcept {
        previous_ = position.previous_;
        next_ = &position;
        previous_->next_ = this;
        position.previous_ = this;
    }

    intrusive_list_node* next_ = nullptr;  // both null, or both set
    intrusive_list_node* previous_ = nullptr;
};

/// A list of objects that live elsewhere. Adding, removing and splicing are O(1),
/// allocate nothing and do not throw.
///
/// `T` derives from `intrusive_list_node<Tag>`. An element stands in one list of a tag
/// at most: to move it, `unlink()` it first. Elements may outlive the list, which lets
/// go of them when it is destroyed.
///
/// @threads  loop; nothing is synchronised
template <class T, class Tag = void>
class intrusive_list {
    using node = intrusive_list_node<Tag>;

    template <class Element>
    class basic_iterator {
    public:
        using value_type = T;
        using difference_type = std::ptrdiff_t;

        basic_iterator() noexcept = default;

        Element& operator*() const noexcept { return static_cast<Element&>(*at_); }

        Element* operator->() const noexcept { return &**this; }

        basic_iterator& operator++() noexcept {
            at_ = at_->next_;
            return *this;
        }

        basic_iterator operator++(int) noexcept {
            return basic_iterator(std::exchange(at_, at_->next_));
        }

        basic_iterator& operator--() noexcept {
            at_ = at_->previous_;
            return *this;
        }

        basic_iterator operator--(int) noexcept {
            return basic_iterator(std::exchange(at_, at_->previous_));
        }

        friend bool operator==(basic_iterator, basic_iterator) noexcept = default;

    private:
        friend class intrusive_list;

        explicit basic_iterator(node* at) noexcept : at_(at) {}

        node* at_ = nullptr;
    };

public:
    using iterator = basic_iterator<T>;
    using const_iterator = basic_iterator<const T>;

    intrusive_list() noexcept { end_.next_ = end_.previous_ = &end_; }

    /// Takes all elements over. `other` is empty afterwards.
    intrusive_list(intrusive_list&& other) noexcept : intrusive_list() {
        splice_back(other);
    }

    intrusive_list& operator=(intrusive_list&&) = delete;  // what of those it had?

    ~intrusive_list() {
        clear();
        end_.next_ = end_.previous_ = nullptr;
    }

    void push_back(T& element) noexcept { as_node(element).link_before(end_); }

    void push_front(T& element) noexcept { as_node(element).link_before(*end_.next_); }

    /// Puts `element` before `position`, which stands in this list.
    void insert_before(T& position, T& element) noexcept {
        as_node(element).link_before(as_node(position));
    }

    /// Takes the first element out and returns it; null if there is none.
    T* pop_front() noexcept { return empty() ? nullptr : taken(*end_.next_); }

    /// Takes the last element out and returns it; null if there is none.
    T* pop_back() noexcept { return empty() ? nullptr : taken(*end_.previous_); }

    /// `element.unlink()`, for elements that stand in lists of several tags.
    static void unlink(T& element) noexcept { as_node(element).unlink(); }

    /// Whether `element` stands in any list of this tag.
    [[nodiscard]] static bool is_linked(const T& element) noexcept {
        return static_cast<const node&>(element).is_linked();
    }

    /// Moves all elements of `other` to the end of this list, in their order.
    void splice_back(intrusive_list& other) noexcept {
        if (other.empty() || &other == this) {
            return;
        }
        node* const first = other.end_.next_;
        node* const last = other.end_.previous_;
        other.end_.next_ = other.end_.previous_ = &other.end_;
        first->previous_ = end_.previous_;
        end_.previous_->next_ = first;
        last->next_ = &end_;
        end_.previous_ = last;
    }

    /// Lets go of all elements; they are in no list afterwards.
    /// @complexity  linear
    void clear() noexcept {
        while (!empty()) {
            end_.next_->unlink();
        }
    }

    [[nodiscard]] bool empty() const noexcept { return end_.next_ == &end_; }

    /// @complexity  linear: an element that leaves does not know its list
    [[nodiscard]] std::size_t size() const noexcept {
        std::size_t count = 0;
        for (const node* at = end_.next_; at != &end_; at = at->next_) {
            ++count;
        }
        return count;
    }

    /// The first element. There must be one.
    [[nodiscard]] T& front() noexcept { return static_cast<T&>(*end_.next_); }

    /// The last element. There must be one.
    [[nodiscard]] T& back() noexcept { return static_cast<T&>(*end_.previous_); }

    // Removing the element an iterator stands on invalidates that iterator only.
    [[nodiscard]] iterator begin() noexcept { return iterator(end_.next_); }

    [[nodiscard]] iterator end() noexcept { return iterator(&end_); }

    [[nodiscard]] const_iterator begin() const noexcept {
        return const_iterator(end_.next_);
    }

    [[nodiscard]] const_iterator end() const noexcept {
        return const_iterator(const_cast<node*>(&end_));
    }

private:
    static node& as_node(T& element) noexcept { return element; }

    static T* taken(node& element) noexcept {
        element.unlink();
        return static_cast<T*>(&element);
    }

    node end_;  // a ring: its next is the first element, its previous the last
};

}  // namespace anyio
